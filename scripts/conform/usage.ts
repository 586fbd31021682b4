import { reports } from '../../src/lab/conformance/reports/index.ts';
import type { Place } from './place.ts';

/** What `--help` says, with the commands as they are typed there. */
export function usageOf({ command, kit }: Pick<Place, 'command' | 'kit'>): string {
  const within = 'npm run conform --';
  const only = kit === undefined ? 'within advance-receiver-kit: ' : '';
  const commands = [
    [`${command} --url http://127.0.0.1:3000 --source risr`, ''],
    [`${command} --list`, 'all rules'],
    [`${within} --kit`, `${only}tries the receiver of the kit, started for the purpose, at level 3`],
    [
      `${within} --bundle [file]`,
      `${only}writes all this as one file, conform.mjs, that needs Node 20 and no kit`,
    ],
  ];
  return `${WHAT}\n\n${commands.map(([typed = '', does = '']) => `  ${typed.padEnd(40)} ${does}`.trimEnd()).join('\n')}\n\n${OPTIONS}`;
}

const WHAT = `Tries a webhook receiver, written in any language, as HotDocs Advance, PhenixID Signing Workflow and risr/advance send to
it and as attackers would: is what is genuine accepted, and everything else refused?`;

const OPTIONS = `A whole run sends thousands of requests, some 300 MB for each sender, and the real handlers of the receiver run for every one
that looks genuine: try a staging receiver; one of advance-receiver-kit with INBOX_URL=memory:.

Where
  --url address            what the addresses of all endpoints begin with (default http://127.0.0.1:3000)
  --source name            hotdocs, phenixid, risr or all (default); several times
  --endpoint name=address  one endpoint elsewhere: risr/user_registered=http://127.0.0.1:8080/hooks/registered, or
                           phenixid=http://127.0.0.1:3000/phenixid?key=north; several times, and once for each
                           installation
  --i-own-this-target      needed for any host but this machine: the run sends thousands of hostile requests
  --ca, --cert, --key      PEM files for TLS: an authority to trust, or a self-signed certificate; a client certificate, its key

Secrets
  From the variables that a receiver of the kit reads, in .env or the environment: RISR_USER_REGISTERED_SECRET,
  HOTDOCS_INTERVIEW_LOAD_EVENT_TOKEN, PHENIXID_SECRET_FILE. Never on the command line. At endpoints without one it is tried
  only whether they let nobody in.
  --secrets file           such lines, and then no others count: for a receiver whose secrets are not those of .env

What is tried
  --level 1|2|3            1: replies. 2: effects too, needs --probe. 3: across restarts too, needs --restart.
                           Default: the highest that is possible
  --grade name             what the receiver is to be, each with all before it: authentic (only what is genuine has an effect),
                           durable (nothing is lost), correct (default: senders and users get what they should), hardened
                           (nothing passes that frameworks usually let pass, though it harms nobody here). What is wrong
                           beyond it is a warning
  --probe address|command  is asked what the receiver has done; see below
  --restart command        kills the receiver without warning and starts it again, as \`docker restart -t 0 receiver\` or
                           \`systemctl kill -s KILL receiver; systemctl restart receiver\`. What it starts may go on running
                           in the background. The run goes on when the receiver listens
  --terminate command      asks the receiver to end and starts it again, as \`docker restart receiver\` or \`systemctl restart receiver\`:
                           a delivery that is under way must be answered
  --health address         where a load balancer asks how the receiver is: must answer every way of asking
  --only, --skip pattern   rules or cases by id, * standing for anything: 'A*', '*/risr/*'; several times
  --case id                one case; several times
  --quick                  a sample in a few seconds: of each rule three cases for each sender, and none across restarts
  --exhausting             also what takes many connections, much memory or minutes
  --switch of=choice       how the sender is set: phenixid:encoding=base64, phenixid:key=north; several times
  --accepts of=choice      what the receiver means to accept besides: phenixid:encoding=base64; several times; all: whatever
                           a sender may be set to. How a sender documents it, or leaves it open, every receiver must accept;
                           what nobody has confirmed only counts if it is claimed here. --kit claims all
  --max-body of:bytes      the largest body that it reads: phenixid:16384; several times
  --seed n                 the same requests again
  --parallel n             so many cases at once (default 4); 1 for a receiver that must not be asked twice at a time
  --rate n                 so many requests a second at most
  --patience seconds       for effects to show, counted from the last one that did (default 5): a receiver that keeps to an
                           API's five calls a second needs more
  --max-failures n         ends when so many cases have failed
  --waivers file           failures that are put up with: [{"pattern": "U6-*", "reason": "…", "until": "2027-01-31"}]

What is written
  --report format=file     ${reports.map(([format]) => format).join(', ')}; - is standard output; several times
                           badge is a small picture (SVG) of the grade reached
  --keep folder            the bytes of all requests: the command lines of failures then send exactly these. They hold proofs:
                           keep the folder to yourself

The probe tells, in the order in which it happened and since whenever it likes, one JSON object and nothing else:
  {"effects": [{"type": "profile_updated", "ref": "…"}], "quarantined": [{"type": "…", "ref": null}]}
effects: events that were handled, once for each time. quarantined: genuine events put aside for a human. ref: eventId of
HotDocs (workItemId of an action link), webhook_request_id of risr, taskId of PhenixID. A receiver of the kit has
"npm run --silent inbox -- effects".

Exit code: 0 conformant: the grade is reached, 1 not conformant, 2 the command is not right, 3 nothing answers there, 4 inconclusive: what is
genuine was not accepted, so that no refusal proves anything, 5 the suite itself broke off, 130 interrupted.
`;
