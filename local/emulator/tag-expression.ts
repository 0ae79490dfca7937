import { ServiceError } from './service-error.ts';

/** Says whether a row with these tags (upper-case) is meant. */
export type TagPredicate = (tags: ReadonlySet<string>) => boolean;

/**
 * Parses `(a && !b) || $InstallationId:{x}`; `!` binds closest, then `&&`, then `||`. Tags compare without regard to case.
 * @throws ServiceError 400
 */
export function parseTagExpression(text: string): TagPredicate {
  const tokens = tokenize(text);
  let at = 0;
  const take = (token: string): boolean => {
    if (tokens[at] !== token) return false;
    at += 1;
    return true;
  };
  const parseOr = (): TagPredicate => {
    let left = parseAnd();
    while (take('||')) left = either(left, parseAnd());
    return left;
  };
  const parseAnd = (): TagPredicate => {
    let left = parseUnary();
    while (take('&&')) left = both(left, parseUnary());
    return left;
  };
  const parseUnary = (): TagPredicate => {
    if (take('!')) return not(parseUnary());
    if (!take('(')) return parseTag();
    const inner = parseOr();
    if (!take(')')) throw invalid();
    return inner;
  };
  const parseTag = (): TagPredicate => {
    const token = tokens[at];
    if (token === undefined || /^(\|\||&&|[!()])$/.test(token)) throw invalid();
    at += 1;
    const wanted = token.toUpperCase();
    return (tags) => tags.has(wanted);
  };
  const predicate = parseOr();
  if (at < tokens.length) throw invalid();
  return predicate;
}

/** The tag, when the expression is nothing but one. */
export function singleTag(expression: string): string | undefined {
  const tokens = tokenize(expression);
  return tokens.length === 1 ? tokens[0] : undefined;
}

function tokenize(text: string): string[] {
  // A reserved tag runs to its closing brace whatever is between; any other ends at an operator or a blank.
  const tokens = text.match(/\|\||&&|[!()]|\$\w+:\{[^}]*\}|[^\s|&!()]+|\S/g) ?? [];
  if (tokens.some((token) => token === '|' || token === '&')) throw invalid();
  return tokens;
}

function invalid(): ServiceError {
  return new ServiceError(400, 'The supplied tag expression is invalid.');
}

function either(left: TagPredicate, right: TagPredicate): TagPredicate {
  return (tags) => left(tags) || right(tags);
}

function both(left: TagPredicate, right: TagPredicate): TagPredicate {
  return (tags) => left(tags) && right(tags);
}

function not(inner: TagPredicate): TagPredicate {
  return (tags) => !inner(tags);
}
