import { type Random, seededRandom, seedOf } from './random.ts';
import type { Row } from './row.ts';
import type { HubSwitches } from './switches.ts';
import { connect, instance, renderDescription } from './xml-out.ts';

const groupRows = 200;
const marks = { lf: '\n', crlf: '\r\n', none: '' } as const;

/** `Output.txt` of an export: one registration after another, in the shape that the switches say. */
export function* exportText(rows: readonly Row[], switches: HubSwitches, seed: string): Iterable<string> {
  const { exportLineEnd, exportLossShare, exportCutShort } = switches;
  const random = seededRandom(seedOf(seed));
  if (switches.exportByteOrderMark) yield '\uFEFF';
  const shown = rows.filter(
    (row) => (switches.exportInstallations || row.installationId === undefined) && random() >= exportLossShare,
  );
  for (let at = 0; at < shown.length; at += groupRows) {
    const group = shown.slice(at, at + groupRows);
    const text = group.map((row) => exportedRow(row, switches, random) + marks[exportLineEnd]).join('');
    yield exportCutShort && at + groupRows >= shown.length ? text.slice(0, text.length / 2) : text;
  }
}

function exportedRow(row: Row, { exportRoot, exportBodies }: HubSwitches, random: Random): string {
  const isBase = exportRoot === 'base' || (exportRoot === 'mixed' && random() < 0.5);
  const own = renderDescription(row, 2022);
  const xml = isBase ? toBase(own) : own;
  return exportBodies === 'cdata' ? xml : xml.replaceAll(/<!\[CDATA\[(.*?)\]\]>/gs, (_, text: string) => asText(text));
}

/** The base element with a type attribute, as the documentation shows export lines. */
function toBase(xml: string): string {
  const name = /^<(\w+)/.exec(xml)?.[1] ?? '';
  const head = `<RegistrationDescription xmlns:i="${instance}" i:type="${name}" xmlns="${connect}">`;
  return `${head}${xml.slice(xml.indexOf('>') + 1, xml.lastIndexOf('</'))}</RegistrationDescription>`;
}

/** On one line, whatever the text is. */
function asText(text: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return escaped.replaceAll('\n', '&#xA;').replaceAll('\t', '&#x9;');
}
