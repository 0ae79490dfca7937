import { type Element, parseXmlDocument } from 'slimdom';

/** An element as an independent, complete XML parser sees it. */
export interface OracleElement {
  readonly name: string;
  readonly namespace: string;
  /** Own text with CDATA. */
  readonly text: string;
  readonly children: readonly OracleElement[];
  readonly attributes: readonly { readonly name: string; readonly namespace: string; readonly value: string }[];
}

/** Reads a whole document with slimdom; throws when it is not well-formed. */
export function readWithOracle(xml: string): OracleElement {
  const root = parseXmlDocument(xml).documentElement;
  if (root === null) throw new Error('no root');
  return toOracleElement(root);
}

function toOracleElement(element: Element): OracleElement {
  const texts = element.childNodes.filter(({ nodeType }) => nodeType === TEXT || nodeType === CDATA);
  return {
    name: element.localName,
    namespace: element.namespaceURI ?? '',
    text: texts.map(({ nodeValue }) => nodeValue ?? '').join(''),
    children: element.children.map(toOracleElement),
    attributes: element.attributes.map(({ localName, namespaceURI, value }) => ({
      name: localName,
      namespace: namespaceURI ?? '',
      value,
    })),
  };
}

const TEXT = 3;
const CDATA = 4;
