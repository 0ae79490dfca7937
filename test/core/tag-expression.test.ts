import fc from 'fast-check';
import { expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import { parseTagExpression } from '../../src/core/request/tag-expression.ts';

type Tree =
  | { readonly kind: 'tag'; readonly tag: string }
  | { readonly kind: 'not'; readonly inner: Tree }
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Tree[] };

const tags = ['news', 'Beta2', 'user:7', '$InstallationId:{a (b) && !c}', '$UserId:{x@y.z}', 'né', '-_@#.=:'];

const { tree } = fc.letrec<{ tree: Tree }>((tie) => {
  const parts = fc.array(tie('tree'), { minLength: 2, maxLength: 4 });
  return {
    tree: fc.oneof(
      { maxDepth: 4 },
      fc.record({ kind: fc.constant('tag' as const), tag: fc.constantFrom(...tags) }),
      fc.record({ kind: fc.constant('not' as const), inner: tie('tree') }),
      fc.record({ kind: fc.constantFrom('and' as const, 'or' as const), parts }),
    ),
  };
});

const strength = { or: 0, and: 1, not: 2, tag: 3 } as const;

/** Writes no parentheses but those that are needed, so that precedence is put to the test. */
function write(expression: Tree, blank: string): string {
  const within = (inner: Tree): string => {
    const text = write(inner, blank);
    return strength[inner.kind] < strength[expression.kind] ? `(${blank}${text}${blank})` : text;
  };
  switch (expression.kind) {
    case 'tag':
      return expression.tag;
    case 'not':
      return `!${blank}${within(expression.inner)}`;
    case 'and':
      return expression.parts.map(within).join(`${blank}&&${blank}`);
    case 'or':
      return expression.parts.map(within).join(`${blank}||${blank}`);
    default:
      return expression satisfies never;
  }
}

function isTrue(expression: Tree, owned: readonly string[]): boolean {
  switch (expression.kind) {
    case 'tag':
      return owned.includes(expression.tag);
    case 'not':
      return !isTrue(expression.inner, owned);
    case 'and':
      return expression.parts.every((part) => isTrue(part, owned));
    case 'or':
      return expression.parts.some((part) => isTrue(part, owned));
    default:
      return expression satisfies never;
  }
}

function faultOf(text: string): DrError | undefined {
  try {
    parseTagExpression(text, 'only.tags');
    return undefined;
  } catch (error) {
    if (error instanceof DrError) return error;
    throw error;
  }
}

test('an expression means the same as trying it out by hand, for every set of tags', () => {
  const blanks = fc.constantFrom('', ' ', '\t ');
  fc.assert(
    fc.property(tree, blanks, fc.boolean(), (expression, blank, isUpper) => {
      const text = write(expression, blank);
      const predicate = parseTagExpression(isUpper ? text.toUpperCase() : text, 'only.tags');
      for (let bits = 0; bits < 2 ** tags.length; bits += 1) {
        const owned = tags.filter((_, index) => (bits >> index) % 2 === 1);
        const lowerCase = new Set(owned.map((tag) => tag.toLowerCase()));
        if (predicate(lowerCase) !== isTrue(expression, owned)) throw new Error(`${text} with ${owned.join(' ')}`);
      }
    }),
    { numRuns: 200 },
  );
});

test.each([
  ['', 'position 1 has the end instead of a tag, ! or ('],
  ['a && ', 'position 5 has the end instead of a tag'],
  ['|| a', "position 1 has '||' instead of a tag"],
  ['a b', 'position 3 has another tag instead of &&, || or the end'],
  ['(a || b', 'position 8 has the end instead of &&, || or )'],
  ['a)', "position 2 has ')' instead of &&"],
  ['a & b', "position 3 has '&' instead of &&, || or the end (operators are && and ||)"],
  ['a && | b', "position 6 has '|'"],
  ['!', 'position 2 has the end'],
  ['()', "position 2 has ')'"],
  ['a!b', "position 2 has '!'"],
  ['('.repeat(60), 'position 52 it is nested deeper than 50 levels'],
  ['a'.repeat(2001), 'longer than 2000 characters'],
])('%j is refused, and the message says where and what', (text, words) => {
  const fault = faultOf(text);
  expect(fault).toMatchObject({ code: 'BadRequest', target: 'only.tags' });
  expect(fault?.message).toContain(words);
});

test('any text is either an expression or a coded refusal that quotes no tag of it', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom('a', ' ', '&', '|', '!', '(', ')', '$', '{', '}') })),
      (text) => {
        const fault = faultOf(text);
        if (fault !== undefined) expect(fault.code).toBe('BadRequest');
      },
    ),
  );
  expect(faultOf('secret-tag other-tag')?.message).not.toMatch(/secret-tag|other-tag/);
});
