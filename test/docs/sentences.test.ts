import { expect, test } from 'vitest';
import { describeOutcomes } from '../../src/cli/parts/outcomes.ts';
import { summarize } from '../../src/cli/parts/summary.ts';
import { outcomesInWords } from '../../src/core/restore/outcome-words.ts';
import { noCounts } from '../../src/core/restore/totals.ts';
import { runIn } from '../cli/fake-terminal.ts';
import { type Sentence, sentencesIn, sentencesOf } from './sentences.ts';

/**
 * Words of the machinery, which are no words of a reader at night. Expressions that this project uses nowhere are held by
 * `plain-words.test.ts`.
 */
interface Rule {
  readonly what: string;
  readonly pattern: RegExp;
  /** Where they are what is talked about. */
  readonly except: RegExp;
}

/** Of callers who write requests themselves: it is about fields and headers. */
const requests = 'src/core/request/';

const rules: readonly Rule[] = [
  { what: 'a call of the HTTP API', pattern: /\b(?:GET|PUT|POST|DELETE|PATCH)\b|\/api\//, except: RegExp(requests) },
  {
    what: 'a name of the code or of JSON',
    pattern: /(?<![\w./$<{"`=-])[a-z]+[A-Z]\w*/,
    // Settings have such names, commands of Azure, and checks of the doctor, which are shown word by word.
    except: RegExp(
      `${requests}|src/settings/|src/cli/parts/connection|src/app/readiness/doctor|src/core/readiness/platform`,
    ),
  },
  { what: 'an HTTP status', pattern: /(?<![\w-]|last )[2-5]\d\d\b|\bstatus …/, except: /^src\/(?:hub|azure|notify)\// },
  {
    what: 'a header',
    pattern: /\bx-[a-z]+-[a-z]|(?<!')\b(?:Content-Type|Content-Length|Retry-After|If-Match|ETags?|Transfer-Encoding)\b/,
    except: RegExp(requests),
  },
  { what: 'an error of JavaScript', pattern: /\((?:Type|Range|Syntax)?Error\)|\bundefined\b|\bNaN\b/, except: /^$/ },
  {
    what: 'a plural of what may be one',
    pattern:
      /… (?:bytes|characters|checks|days|devices|hours|hubs|ids|installations|levels|minutes|passes|records|registrations|rows|seconds|settings|shards|snapshots|steps|templates|times)\b/,
    except: /^$/,
  },
];

const said = sentencesOf('src', 'functions');

function faultsIn(sentences: readonly Sentence[]): string[] {
  return sentences.flatMap(({ file, line, text }) =>
    rules
      .filter(({ pattern, except }) => pattern.test(text) && !except.test(file))
      .map(({ what }) => `${file}:${line} has ${what}: ${text}`),
  );
}

test('every text of a module and of a page is seen, and what is no text is not', () => {
  const module = `
    import { a } from 'a module of ours'; // a comment of ours
    type One = 'a type of ours';
    const MAX = 3;
    const one = ['first text', "second text", \`third \${of} text, \${MAX} at \${most(\`a \${fourth} one\`)}\`, 'word'] as const;`;
  expect(sentencesIn('a.ts', module).map(({ line, text }) => `${line} ${text}`)).toEqual([
    '5 first text',
    '5 second text',
    '5 third … text, # at …',
    '5 a … one',
  ]);
  const page = '<p title="a title">\n  a text <b>word</b></p>';
  expect(sentencesIn('a.html', page).map(({ text }) => text)).toEqual(['a title', 'a text']);
});

test.each([
  ['Back up now: POST /api/backups.', 'a call of the HTTP API'],
  ['kept as keptLive', 'a name of the code or of JSON'],
  ['failuresByCode says why', 'a name of the code or of JSON'],
  ['It answered 503 twice.', 'an HTTP status'],
  ['The status … came.', 'an HTTP status'],
  ['Wait as Retry-After says.', 'a header'],
  ['It failed (Error).', 'an error of JavaScript'],
  ['about … devices', 'a plural of what may be one'],
])('finds what no reader should have to know: %s', (text, what) => {
  expect(faultsIn([{ file: 'src/x.ts', line: 1, text }])).toEqual([`src/x.ts:1 has ${what}: ${text}`]);
});

test('nothing that terminal, console, reports and messages say needs knowledge of HTTP or JSON', () => {
  expect(said.length).toBeGreaterThan(1000);
  expect(faultsIn(said)).toEqual([]);
});

test('commands that messages name are there', async () => {
  const named = said
    .filter(({ file }) => !file.startsWith('src/cli/'))
    .flatMap(({ text }) => [...text.matchAll(/\bnotification-hubs-dr ([a-z-]+)/g)].map(([, name = '']) => name));
  expect(new Set(named).size).toBeGreaterThan(10);
  const { out } = await runIn(['--help'], {});
  const commands = [...out.matchAll(/^ {2}([a-z-]+) /gm)].map(([, name]) => name);
  expect([...new Set(named)].filter((name) => !commands.includes(name))).toEqual([]);
});

test('every outcome of records has its words in the terminal, and the same in reports', () => {
  const counts = Object.fromEntries(Object.keys(noCounts).map((name) => [name, 1]));
  expect(describeOutcomes({ counts }, 'counts')).toBe(outcomesInWords(counts));
  const view = { id: 'r1', kind: 'restore', status: 'Succeeded', counts, byPlatform: { Apple: counts } };
  expect(faultsIn([{ file: 'src/cli/', line: 1, text: summarize(view) }])).toEqual([]);
});
