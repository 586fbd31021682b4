import type { NextFunction, Request, Response } from 'express';
import { ipKeyGenerator, rateLimit } from 'express-rate-limit';
import type { AddressOf } from './address.ts';

/** Tells whether an address has had more failed proofs within a minute than it may, this one included. */
export type CountFailure = (request: Request, response: Response) => Promise<boolean>;

/**
 * Counts failed proofs only, and only after they failed: behind a proxy all senders share an address, so a genuine
 * delivery must never meet a limit.
 */
export function createFailureCounter(limit: number, addressOf: AddressOf): CountFailure {
  const limiter = rateLimit({
    windowMs: 60_000,
    limit,
    standardHeaders: false,
    legacyHeaders: false,
    keyGenerator: (request) => ipKeyGenerator(addressOf(request)),
    handler: (_request, response, next) => {
      response.locals['overLimit'] = true;
      next();
    },
  });
  return (request, response) =>
    new Promise((resolve, reject) => {
      const next: NextFunction = (error?: unknown) => {
        if (error === undefined) resolve(response.locals['overLimit'] === true);
        else reject(new Error('express-rate-limit failed.', { cause: error }));
      };
      void limiter(request, response, next);
    });
}
