const MOST_READ = 4000;
const MOST_KEPT = 200;
const LEFT_OUT = '…';

/**
 * What a hub says about the record it was sent, without whatever may be the record's own: quotations, numbers, ids, and
 * each word that is in one of its values. 200 characters at most; nothing where too little is left.
 */
export function wordsIn(body: Uint8Array, sent = ''): string | undefined {
  const text = Buffer.from(body).toString('utf8', 0, MOST_READ);
  const detail = /<Detail>([^<]*)/i.exec(text)?.[1] ?? (text.includes('<') ? '' : text);
  const own = ownWords(sent);
  const words = detail
    .replace(/\.*\s*TrackingId:.*/is, '.')
    .replace(/&[a-z#0-9]+;/gi, '"')
    .replace(/"[^"]*"|'[^']*'/g, ` ${LEFT_OUT} `)
    .split(/\s+/)
    .map((word) => (isPlain(word) && !own.has(bare(word)) ? word : LEFT_OUT))
    .filter((word, index, all) => word !== LEFT_OUT || all[index - 1] !== LEFT_OUT);
  if (words.filter((word) => word !== LEFT_OUT).length < 2) return undefined;
  return words.join(' ').slice(0, MOST_KEPT).trim();
}

function isPlain(word: string): boolean {
  return /^[A-Za-z]{1,20}[.,;:!?]?$/.test(word);
}

function bare(word: string): string {
  return word.replace(/\W/g, '').toLowerCase();
}

/** The words of what XML has between its tags, and JSON as values. */
function ownWords(sent: string): ReadonlySet<string> {
  const values = sent.matchAll(/>([^<]+)<|"((?:[^"\\]|\\.)*)"(\s*:)?/g);
  const own = [...values].map(([, xml, json, isName]) => xml ?? (isName === undefined ? json : undefined) ?? '');
  return new Set(own.flatMap((value) => value.toLowerCase().split(/\W+/)));
}
