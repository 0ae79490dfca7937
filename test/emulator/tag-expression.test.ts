import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ServiceError } from '../../local/emulator/service-error.ts';
import { parseTagExpression } from '../../local/emulator/tag-expression.ts';

type Tree = { tag: string } | { not: Tree } | { op: '&&' | '||'; left: Tree; right: Tree };

const tags = ['a', 'B2', 'x:y', '$InstallationId:{a (b) && c}', 'né', '-_@#.'];

const { tree } = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5 },
    fc.record({ tag: fc.constantFrom(...tags) }),
    fc.record({ not: tie('tree') }),
    fc.record({ op: fc.constantFrom('&&' as const, '||' as const), left: tie('tree'), right: tie('tree') }),
  ),
}));

it('means what a plain evaluation of the same expression says, for any expression and any tags', () => {
  const property = fc.property(tree, fc.subarray(tags), fc.boolean(), (expression, owned, isLower) => {
    const text = write(expression);
    const predicate = parseTagExpression(isLower ? text.toLowerCase() : text);
    expect(predicate(new Set(owned.map((tag) => tag.toUpperCase()))), text).toBe(evaluate(expression, owned));
  });
  fc.assert(property, { numRuns: 500 });
});

it.each([
  ['a || b && c', ['a'], true],
  ['a || b && c', ['b'], false],
  ['!a && b', ['b'], true],
  ['!(a && b)', ['a', 'b'], false],
  ['a&&b', ['a', 'b'], true],
])('binds ! before && before ||: %s on %j is %s', (text, owned, expected) => {
  expect(parseTagExpression(text)(new Set(owned.map((tag) => tag.toUpperCase())))).toBe(expected);
});

it.each(['', 'a &&', '|| a', 'a b', '(a', 'a)', '!', 'a & b', 'a | b', '()'])('refuses %j', (text) => {
  expect(() => parseTagExpression(text)).toThrow(ServiceError);
});

function write(expression: Tree): string {
  if ('tag' in expression) return expression.tag;
  if ('not' in expression) return `!(${write(expression.not)})`;
  return `(${write(expression.left)}) ${expression.op} (${write(expression.right)})`;
}

function evaluate(expression: Tree, owned: readonly string[]): boolean {
  if ('tag' in expression) return owned.includes(expression.tag);
  if ('not' in expression) return !evaluate(expression.not, owned);
  const [left, right] = [evaluate(expression.left, owned), evaluate(expression.right, owned)];
  return expression.op === '&&' ? left && right : left || right;
}
