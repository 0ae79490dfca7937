import { DrError } from '../errors.ts';

/** Whether a record with these tags, all in lower case, is meant. */
export type TagPredicate = (lowerCaseTags: ReadonlySet<string>) => boolean;

/** Longer or deeper than any person writes. */
const MAX_LENGTH = 2000;
const MAX_DEPTH = 50;

/**
 * Reads a tag expression in the service's own syntax: `(news && !beta) || $UserId:{42}`. `!` binds closest, then `&&`,
 * then `||`; tags compare without regard to letter case. Throws `BadRequest` naming `field` and the position (from 1).
 */
export function parseTagExpression(text: string, field: string): TagPredicate {
  if (text.length > MAX_LENGTH) throw faulty(field, `it is longer than ${MAX_LENGTH} characters`);
  const reader = createReader(text, field);
  const predicate = readEither(reader, 0);
  if (reader.next().text !== '') throw reader.unexpected('&&, || or the end');
  return predicate;
}

interface Token {
  /** Empty at the end of the text. */
  readonly text: string;
  /** From 0. */
  readonly at: number;
}

interface TokenReader {
  next(): Token;
  /** Moves to the next token. */
  take(): Token;
  takes(text: string): boolean;
  unexpected(wanted: string): DrError;
  tooDeep(): DrError;
}

/** An operator; a reserved tag, which runs to its closing brace whatever is between; any other tag; a stray sign. */
const tokenPattern = /\s*(&&|\|\||[!()]|\$\w+:\{[^}]*\}|[^\s&|!()]+|[&|])/y;
const operators: ReadonlySet<string> = new Set(['&&', '||', '!', '(', ')', '&', '|']);

function createReader(text: string, field: string): TokenReader {
  const tokens: Token[] = [];
  tokenPattern.lastIndex = 0;
  for (let match = tokenPattern.exec(text); match !== null; match = tokenPattern.exec(text)) {
    const [whole, token = ''] = match;
    tokens.push({ text: token, at: match.index + whole.length - token.length });
  }
  const end: Token = { text: '', at: text.trimEnd().length };
  let index = 0;
  const next = (): Token => tokens[index] ?? end;
  return {
    next,
    take() {
      const token = next();
      index += 1;
      return token;
    },
    takes(wanted) {
      if (next().text !== wanted) return false;
      index += 1;
      return true;
    },
    unexpected(wanted) {
      const found = next();
      const what = found.text === '' ? 'the end' : operators.has(found.text) ? `'${found.text}'` : 'another tag';
      const hint = found.text === '&' || found.text === '|' ? ' (operators are && and ||)' : '';
      return faulty(field, `position ${found.at + 1} has ${what} instead of ${wanted}${hint}`);
    },
    tooDeep: () => faulty(field, `at position ${next().at + 1} it is nested deeper than ${MAX_DEPTH} levels`),
  };
}

function readEither(reader: TokenReader, depth: number): TagPredicate {
  const parts = [readBoth(reader, depth)];
  while (reader.takes('||')) parts.push(readBoth(reader, depth));
  return (tags) => parts.some((part) => part(tags));
}

function readBoth(reader: TokenReader, depth: number): TagPredicate {
  const parts = [readOne(reader, depth)];
  while (reader.takes('&&')) parts.push(readOne(reader, depth));
  return (tags) => parts.every((part) => part(tags));
}

function readOne(reader: TokenReader, depth: number): TagPredicate {
  if (depth > MAX_DEPTH) throw reader.tooDeep();
  if (reader.takes('!')) {
    const inner = readOne(reader, depth + 1);
    return (tags) => !inner(tags);
  }
  if (reader.takes('(')) {
    const inner = readEither(reader, depth + 1);
    if (!reader.takes(')')) throw reader.unexpected('&&, || or )');
    return inner;
  }
  const { text } = reader.next();
  if (text === '' || operators.has(text)) throw reader.unexpected('a tag, ! or (');
  const tag = reader.take().text.toLowerCase();
  return (tags) => tags.has(tag);
}

function faulty(field: string, why: string): DrError {
  const message = `'${field}' is not a tag expression: ${why}. Write tags joined by &&, || and !, with parentheses: (news && !beta) || vip.`;
  return new DrError('BadRequest', message, { target: field });
}
