/** A compiled `route` of an HTTP trigger; `match` answers the raw parameter texts, percent-decoded. */
export interface Route {
  readonly template: string;
  match(path: string): Record<string, string> | undefined;
}

/**
 * Compiles an ASP.NET route template: literals (case-insensitive), `{id}`, `{id?}`, `{id=default}`, `{*rest}`,
 * `{**rest}` and the inline constraints `int`, `long`, `bool`, `guid` and `alpha`.
 */
export function compileRoute(template: string): Route {
  const segments = template.split('/').filter((segment) => segment !== '');
  const parts = segments.map((segment) => parseSegment(segment, template));
  return { template, match: (path) => matchParts(parts, path) };
}

type Part =
  | { readonly kind: 'literal'; readonly text: string }
  | {
      readonly kind: 'parameter';
      readonly name: string;
      readonly isOptional: boolean;
      readonly isCatchAll: boolean;
      readonly fallback: string | undefined;
      readonly constraints: ReadonlyArray<(value: string) => boolean>;
    };

const parameterPattern = /^\{(\*{0,2})(\w+)((?::[^:?=}]+)*)(\?|=([^}]*))?\}$/;

function parseSegment(segment: string, template: string): Part {
  if (!segment.includes('{')) return { kind: 'literal', text: segment.toLowerCase() };
  const match = parameterPattern.exec(segment);
  if (match === null) {
    throw new Error(`Route "${template}": segment "${segment}" is not supported; a parameter must fill its segment.`);
  }
  const [, stars = '', name = '', constraints = '', ending, fallback] = match;
  return {
    kind: 'parameter',
    name,
    isOptional: ending === '?',
    isCatchAll: stars !== '',
    fallback,
    constraints: constraints
      .split(':')
      .slice(1)
      .map((type) => constraint(type.toLowerCase(), template)),
  };
}

function constraint(type: string, template: string): (value: string) => boolean {
  switch (type) {
    case 'int':
    case 'long':
      return (value) => /^[+-]?\d+$/.test(value);
    case 'bool':
      return (value) => /^(true|false)$/i.test(value);
    case 'guid':
      return (value) => /^\{?[\da-f]{8}-?([\da-f]{4}-?){3}[\da-f]{12}\}?$/i.test(value);
    case 'alpha':
      return (value) => /^[a-z]*$/i.test(value);
    default:
      throw new Error(`Route "${template}": constraint "${type}" is not supported by this host.`);
  }
}

function matchParts(parts: readonly Part[], path: string): Record<string, string> | undefined {
  const trimmed = path.replace(/^\/|\/$/g, '');
  const segments = trimmed === '' ? [] : trimmed.split('/');
  const values: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const raw = part.kind === 'parameter' && part.isCatchAll ? segments.slice(index).join('/') : segments[index];
    const text = raw === undefined ? undefined : decode(raw);
    if (part.kind === 'literal') {
      if (text?.toLowerCase() !== part.text) return undefined;
    } else if (text === undefined || text === '') {
      if (part.fallback !== undefined) values[part.name] = part.fallback;
      else if (!part.isOptional && !part.isCatchAll) return undefined;
    } else {
      if (!part.constraints.every((isMet) => isMet(text))) return undefined;
      values[part.name] = text;
    }
  }
  const last = parts.at(-1);
  const takesAll = last?.kind === 'parameter' && last.isCatchAll;
  return segments.length > parts.length && !takesAll ? undefined : values;
}

/** An encoded slash stays encoded, as in ASP.NET Core, so that it cannot make a new segment. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll(/%2f/gi, '%252F'));
  } catch {
    // Not valid percent-encoding: the real host passes it on as it came.
    return text;
  }
}
