import { z } from 'zod';
import { event } from '../../source.ts';

/** Goes into the path of an API address, so it can be no path of its own: no slash, no percent, not `.` or `..`. */
const id = z.string().regex(/^(?!\.{1,2}$)[\w.:@|~+=-]{1,200}$/);

/** `7-2f0d9c…`: the number grows with each save. Keep the highest and ignore what is lower; order is not promised. */
const rev = z.string().regex(/^\d{1,15}-[\w-]{1,100}$/);

/** What every document of risr/advance has. */
export const identity = z.object({ id, rev });

const named = z.looseObject({ id: z.string(), name: z.string() });

const login = z.object({
  /** The user's id. Before writing to this user, check that the e-mail or user name there agrees with `sso`. */
  user: id,
  /** What the single sign-on said, by name in lower case; one name may have several values. Empty at a local login. */
  sso: z.record(z.string(), z.array(z.string())),
});

/** Kept with the entry; the sender is told nothing but that all is well. */
const note = z.union([z.string(), z.void()]);

const profile = z.looseObject({
  /** `id` is the profile document's and need not be the user's. */
  ...identity.shape,
  email: z.string().nullish(),
  firstName: z.string().nullish(),
  lastName: z.string().nullish(),
  roles: z.array(z.string()).nullish(),
  userFields: z.array(z.unknown()).nullish(),
  auditLog: z.array(z.unknown()).nullish(),
  /** How the user logs in, as the API has it. */
  credentials: z.unknown().optional(),
});

const booking = z.looseObject({
  ...identity.shape,
  state: named,
  organisation: z.string().nullish(),
  /** The owner's user id. */
  user: z.string().nullish(),
  type: z.string().nullish(),
  bookingItemId: z.string().nullish(),
  bookingOptionId: z.string().nullish(),
  /** `YYYY-MM-DD`, as `modifiedDate`. */
  createdDate: z.string().nullish(),
  modifiedDate: z.string().nullish(),
  fields: z
    .array(
      z.looseObject({
        key: z.string(),
        label: z.string().nullish(),
        text_value: z.string().nullish(),
        str_value: z.string().nullish(),
      }),
    )
    .nullish(),
  metadata: z.array(z.looseObject({ key: z.string(), value: z.unknown().optional() })).nullish(),
  bookingOption: z
    .looseObject({
      id: z.string(),
      name: z.string().nullish(),
      // Printed for the API; in an event they may have any form.
      breadcrumbs: z.unknown().optional(),
      venue: z.unknown().optional(),
      bookingType: z.unknown().optional(),
      bookingItem: z.unknown().optional(),
      metadata: z.unknown().optional(),
    })
    .nullish(),
});

const transitionedBooking = z.looseObject({
  ...booking.shape,
  /** What was executed. Its absence does not mean that nothing changed. */
  transition: z.looseObject({ id: z.string().nullish(), name: z.string().nullish() }).optional(),
  /** What the transition did besides. */
  actions: z.array(z.unknown()).optional(),
});

const inLogin = {
  mode: 'reply',
  schema: login,
  answer: note,
  describe: (words: z.output<typeof note>) => words ?? 'let through',
  afterFailure: 'retry',
  subject: ({ user }: z.output<typeof login>) => `profile:${user}`,
} as const;

/** The topics of the v2 guide. The first two run inside a login, which waits for them. */
export const events = {
  user_logged_in: event({
    ...inLogin,
    summary: 'A user has logged in and waits to be let through.',
    example: {
      user: 'usr-4471',
      sso: { eppn: ['alind@college.example.org'], mail: ['asa.lind@example.org'] },
    },
  }),
  user_registered: event({
    ...inLogin,
    summary: 'A user came for the first time: fill profile and permissions in before the first page loads.',
    example: {
      user: 'usr-4471',
      sso: {
        eppn: ['alind@college.example.org'],
        givenname: ['Åsa'],
        sn: ['Lind'],
        mail: ['asa.lind@example.org'],
        affiliation: ['member', 'staff'],
        'persistent-id': ['k3J9-77'],
      },
    },
  }),
  profile_updated: event({
    mode: 'notify',
    summary: 'A profile was edited. Writing to it from here sends this event again: write only what differs.',
    schema: profile,
    example: {
      id: 'profile_org_demo_usr-4471',
      rev: '7-2f0d9c6b1e8a4735b0c1d2e3f4a59687',
      email: 'asa.lind@example.org',
      firstName: 'Åsa',
      lastName: 'Lind',
      roles: ['role-trainee'],
      userFields: [{ _id: 'uf-college-no', value: 'A-20931' }],
      auditLog: [],
    },
    subject: (document) => `profile:${document.id}`,
  }),
  booking_updated: event({
    mode: 'notify',
    summary: 'A booking was saved, with or without a change.',
    schema: booking,
    example: {
      id: '6e1b7c0a-4d93-4a2f-8f57-b1c20d9e3a84',
      rev: '4-91ce02d7a6b84f3e8d15c07b2fa9e630',
      organisation: 'org_demo',
      user: 'usr-4471',
      type: 'booking',
      bookingItemId: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12',
      bookingOptionId: 'e83a91c5-16f7-4d20-9b4e-c7a5d2f8016b',
      createdDate: '2031-02-03',
      modifiedDate: '2031-02-10',
      fields: [{ key: 'wff-k2m9x4q7ab', label: 'Name', text_value: 'Åsa Lind', str_value: 'Åsa Lind' }],
      metadata: [
        { key: 'booking_confirmed', value: 'No' },
        { key: 'seat_confirmed', value: 'No' },
      ],
      state: { id: 'ws-p4d8r1t6cz', name: 'SUBMITTED' },
      bookingOption: {
        id: 'e83a91c5-16f7-4d20-9b4e-c7a5d2f8016b',
        name: 'Spring sitting',
        breadcrumbs: [{ id: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12', name: 'Practical exam' }],
        venue: { id: '71c5e0ad-3b28-49f6-8d0e-a4f92b6c1357', name: 'North hall' },
        bookingType: { id: '94b7d3f2-60ae-4c18-b5d9-2e8f1a0c7643', name: 'Exam' },
        metadata: [],
        bookingItem: { id: '0d4f2b61-7c8e-4b95-a1d3-59e8f60c7b12', name: 'Practical exam' },
      },
    },
    subject: (document) => `booking:${document.id}`,
  }),
  booking_state_changed: event({
    mode: 'notify',
    summary: 'A transition was executed on a booking, even if its state stayed the same.',
    schema: transitionedBooking,
    example: {
      id: '6e1b7c0a-4d93-4a2f-8f57-b1c20d9e3a84',
      rev: '5-0c7b9e13d8f245a6b1e4c9072d5fa831',
      organisation: 'org_demo',
      user: 'usr-4471',
      type: 'booking',
      state: { id: 'ws-t7w2b5n9fy', name: 'CONFIRMED' },
      metadata: [{ key: 'booking_confirmed', value: 'Yes' }],
      transition: {
        id: 'wt-h3v6c8s1dq',
        name: 'Confirm',
        from: { id: 'ws-p4d8r1t6cz', name: 'SUBMITTED' },
        to: { id: 'ws-t7w2b5n9fy', name: 'CONFIRMED' },
        executedBy: 'usr-0009',
      },
      actions: [{ type: 'confirm_booking', result: 'ok' }],
    },
    subject: (document) => `booking:${document.id}`,
  }),
};

/** What `POST /v2/webhooks/test` sends, whatever the topic: the vendor's example, known by all that is in it (RI-7). */
export const testPayload = {
  auditLog: [],
  id: 'profile_org_id',
  email: 'john@doe.com',
  rev: '1-1324',
  firstName: 'John',
  lastName: 'Doe',
  userFields: [],
};
