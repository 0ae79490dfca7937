import { z } from 'zod';
import { seededRandom } from './emulator/random.ts';

/**
 * What is done to one request. `reset` cuts the connection before the server sees it; `loseAnswer` lets the server act
 * on it and then cuts; `cutAnswer` hands on half of the answer's body; `flipByte` changes one bit of it, `flipSentByte` one of what was sent; `hang` never
 * answers; a status is what the proxy answers itself, after the server acted on the request if it `isCarriedOut`.
 */
const faultSchema = z.union([
  z.enum(['reset', 'loseAnswer', 'cutAnswer', 'flipByte', 'flipSentByte', 'hang']),
  z.strictObject({
    status: z.int().min(200).max(599),
    code: z.string().regex(/^\w+$/),
    isCarriedOut: z.boolean().optional(),
    /** In seconds. */
    retryAfter: z.int().min(0).optional(),
  }),
]);

const ruleSchema = z.strictObject({
  /** Under which it is counted; rules may share one. */
  name: z.string().min(1),
  fault: faultSchema,
  /** Of which server, where the rules are for several. */
  service: z.string().optional(),
  method: z.string().optional(),
  /** A regular expression on path and query. */
  path: z.string().refine(isRegExp, 'is no regular expression').optional(),
  /** Only requests with this header: `if-match`, `if-none-match`. */
  header: z.string().optional(),
  /** Only the first read of what was written just before. */
  isFreshlyWritten: z.boolean().optional(),
  /** Share of the matching requests, drawn from `seed`. */
  probability: z.number().gt(0).max(1).default(1),
  seed: z.int().min(0).default(1),
  /** How many times the rule acts before it is used up. */
  times: z.int().min(1).optional(),
});

export const proxyRulesSchema = z.array(ruleSchema);

export type Fault = z.infer<typeof faultSchema>;
export type ProxyRule = z.input<typeof ruleSchema>;

/** What a rule matches against. */
export interface AskedRequest {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isFreshlyWritten: boolean;
}

/** Rules, and how often each acted. */
export interface ProxyRules {
  /** Replaces the rules and resets their counts. Throws `ZodError` for a rule that makes no sense. */
  set(rules: readonly ProxyRule[]): void;
  /** Of the rules since the last `set`, by name. */
  counts(): Readonly<Record<string, number>>;
  /** The fault of the first rule that is due. The same requests in the same order meet the same faults. */
  decide(request: AskedRequest): Fault | undefined;
}

export function createProxyRules(): ProxyRules {
  let states: { readonly rule: z.infer<typeof ruleSchema>; matched: number; injected: number }[] = [];
  return {
    set(rules) {
      states = proxyRulesSchema.parse(rules).map((rule) => ({ rule, matched: 0, injected: 0 }));
    },
    counts() {
      const counts: Record<string, number> = {};
      for (const { rule, injected } of states) counts[rule.name] = (counts[rule.name] ?? 0) + injected;
      return counts;
    },
    decide(request) {
      for (const state of states) {
        const { rule } = state;
        if (state.injected >= (rule.times ?? Number.POSITIVE_INFINITY) || !isMatch(rule, request)) continue;
        state.matched += 1;
        // The n-th draw of a rule needs no earlier ones.
        if (seededRandom(rule.seed * 1_000_003 + state.matched)() >= rule.probability) continue;
        state.injected += 1;
        return rule.fault;
      }
      return undefined;
    },
  };
}

function isMatch(rule: z.infer<typeof ruleSchema>, request: AskedRequest): boolean {
  const { service, method, path, header, isFreshlyWritten } = rule;
  return (
    (service === undefined || service === request.service) &&
    (method === undefined || method === request.method) &&
    (header === undefined || request.headers[header] !== undefined) &&
    (isFreshlyWritten !== true || (request.method === 'GET' && request.isFreshlyWritten)) &&
    (path === undefined || new RegExp(path).test(request.path))
  );
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    // Compiling it is the only check there is.
    return false;
  }
}
