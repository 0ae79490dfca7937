import { SaxesParser } from 'saxes';

/** An element as an independent, complete XML parser sees it. */
export interface OracleElement {
  readonly name: string;
  readonly namespace: string;
  /** Own text with CDATA. */
  text: string;
  readonly children: OracleElement[];
  readonly attributes: readonly { readonly name: string; readonly namespace: string; readonly value: string }[];
}

/** Reads a whole document with saxes; throws when it is not well-formed. */
export function readWithOracle(xml: string): OracleElement {
  const parser = new SaxesParser({ xmlns: true });
  const open: OracleElement[] = [];
  let root: OracleElement | undefined;
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes).map(({ local, uri, value }) => ({
      name: local,
      namespace: uri,
      value,
    }));
    const element = { name: tag.local, namespace: tag.uri, text: '', children: [], attributes };
    open.at(-1)?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => {
    open.pop();
  });
  const addText = (text: string): void => {
    const element = open.at(-1);
    if (element !== undefined) element.text += text;
  };
  parser.on('text', addText);
  parser.on('cdata', addText);
  parser.write(xml).close();
  if (root === undefined) throw new Error('no root');
  return root;
}
