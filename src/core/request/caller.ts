import { z } from 'zod';

/** Who changed something, as far as a call says. */
export interface Caller {
  /** As the caller calls themselves. */
  readonly name: string | undefined;
  /** Whom the platform's sign-in says they are. It means something only where sign-in is switched on. */
  readonly principal: string | undefined;
  /** The address that the platform's front end saw. */
  readonly from: string | undefined;
  /** As it was sent: to be hashed, never to be kept. */
  readonly key: string | undefined;
}

interface Headers {
  get(name: string): string | null;
}

export function callerOf(headers: Headers, query: URLSearchParams): Caller {
  // Each proxy adds the address it saw at the end; what comes before is the caller's own word.
  const seen = headers.get('x-forwarded-for')?.split(',').at(-1)?.trim();
  const [, code] = [...query].find(([name]) => name.toLowerCase() === 'code') ?? [];
  return {
    name: readable(decoded(headers.get('x-requested-by'))),
    principal: readable(headers.get('x-ms-client-principal-name')),
    from: readable(seen),
    key: headers.get('x-functions-key') ?? code,
  };
}

const MAX_LENGTH = 200;
const line = z
  .string()
  .trim()
  .min(1)
  .regex(/^[^\p{C}\p{Zl}\p{Zp}]*$/u);

function readable(text: string | null | undefined): string | undefined {
  return line.safeParse(text?.slice(0, MAX_LENGTH)).data;
}

/** Headers hold ASCII only, so that names are sent percent-encoded. */
function decoded(text: string | null): string | null {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return text;
  }
}
