import { refuseEncoded, tooLarge } from '../../kit/http/read-body.ts';
import { refuseUnfit } from '../../kit/http/router.ts';
import { headerValues, type Delivery } from '../../kit/delivery.ts';
import { isOpen, type Credential, type EndpointConfig } from '../../kit/endpoint/definition.ts';
import { openEndpoint, type Endpoint } from '../../kit/endpoint/endpoint.ts';
import { DeadLetter, DeliveryRejected, messageOf, type RejectionCode } from '../../kit/errors.ts';
import { importSecret, type KeyEncoding, type Secret } from '../../kit/proofs/secrets.ts';
import { viewOf, type Case, type Key, type View } from './case.ts';

/** What the receiver would make of a case. */
export type Judgement =
  | { readonly accepted: true; readonly type: string }
  /** `content_unreadable`: proven, and then a dead letter. */
  | { readonly accepted: false; readonly code: RejectionCode | 'content_unreadable'; readonly why: string };

/** As many bytes as the kit demands of a secret: fewer can be guessed, and are no way of making a delivery verify. */
const LEAST_SECRET_BYTES = 16;

/** Holds the place of a secret where another one is tried: it is never compared with anything. */
const PLACE = 'a'.repeat(64);

/** Runs cases through the kit's own strict way of a delivery, and keeps what is costly to make. */
export class Judge {
  readonly #endpoints = new Map<string, Promise<Endpoint>>();
  readonly #secrets = new Map<string, Promise<Secret | undefined>>();

  async judge(of: Case): Promise<Judgement> {
    try {
      return { accepted: true, type: await this.#receive(of) };
    } catch (error) {
      if (error instanceof DeliveryRejected) return { accepted: false, code: error.code, why: error.message };
      if (error instanceof DeadLetter)
        return { accepted: false, code: 'content_unreadable', why: `${error.reason}: ${error.message}` };
      throw error;
    }
  }

  async #receive(of: Case): Promise<string> {
    const { request, at } = of;
    const view = viewOf(of);
    const { config, query } = view;
    if (config === undefined) throw new DeliveryRejected('path_unknown', 'No endpoint has this path.');
    const endpoint = await this.#open(of, config, view);
    refuseUnfit({ ...request, rawHeaders: [...request.headers] }, endpoint, false);
    const { body, method, headers } = request;
    const codings = headerValues(request, 'content-encoding');
    refuseEncoded(codings.length === 0 ? undefined : codings.join(', '));
    if (body.length > endpoint.limits.maxBodyBytes) throw tooLarge(endpoint.limits.maxBodyBytes);
    const delivery: Delivery = { method, query, headers, body, receivedAt: at };
    const demand = endpoint.demand(delivery);
    const secrets = of.key === undefined ? demand.secrets : await this.#import(of.key, view);
    const proven = await demand.proof.verify(delivery, secrets);
    return endpoint.read(endpoint.kept(proven.content, delivery), proven.value).type;
  }

  /** @throws DeliveryRejected `endpoint_closed` where there is no secret, or none that can be used */
  async #open(of: Case, config: EndpointConfig, { settings, kind }: View): Promise<Endpoint> {
    if (!isOpen(config) && of.key === undefined)
      throw new DeliveryRejected('endpoint_closed', 'This endpoint has no secret.');
    const isPlace = of.key !== undefined;
    const name = JSON.stringify([config.definition.path, kind, isPlace, settings]);
    const known = this.#endpoints.get(name);
    if (known !== undefined) return known;
    const opened = openEndpoint({
      ...config,
      settings,
      credentials: credentialsOf(config, kind, isPlace),
      // A tape holds no certificate: where that was not what it was refused for, it is taken to have been right.
      certificate: isOfCertificate(of.known.outcome) ? config.certificate : undefined,
    }).catch((error: unknown) => {
      throw new DeliveryRejected('endpoint_closed', messageOf(error));
    });
    this.#endpoints.set(name, opened);
    return opened;
  }

  async #import(key: Key, { config, kind = '', settings }: View): Promise<readonly Secret[]> {
    const encodings = config?.source.proof.kinds[kind]?.keyEncodings(settings) ?? [];
    const imported =
      'text' in key
        ? encodings.map((encoding) => this.#secret(key.text, encoding))
        : [this.#secret(key.bytes.toString('base64url'), 'base64')];
    return (await Promise.all(imported)).filter((secret) => secret !== undefined);
  }

  #secret(text: string, encoding: KeyEncoding): Promise<Secret | undefined> {
    const name = `${encoding}:${text}`;
    const known =
      this.#secrets.get(name) ??
      importSecret(text, 1, encoding).then(
        (secret) => (secret.bytes.length < LEAST_SECRET_BYTES ? undefined : secret),
        () => undefined,
      );
    this.#secrets.set(name, known);
    return known;
  }
}

function isOfCertificate(outcome: Case['known']['outcome']): boolean {
  return outcome === 'certificate_missing' || outcome === 'certificate_refused';
}

function credentialsOf(
  { credentials }: EndpointConfig,
  kind: string | undefined,
  isPlace: boolean,
): ReadonlyMap<string, Credential> {
  const all: [string, Credential][] = [...credentials].map(([installation, credential]) => [
    installation,
    {
      ...credential,
      kind: kind ?? credential.kind,
      texts: isPlace ? [PLACE] : credential.texts.filter((text) => text !== ''),
    },
  ]);
  const closed: Credential = { kind: kind ?? '', variable: '', texts: [PLACE] };
  return new Map(all.length === 0 && isPlace ? [['', closed]] : all);
}
