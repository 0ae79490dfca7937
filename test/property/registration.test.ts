import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DrError } from '../../src/core/errors.ts';
import {
  canonicalRow,
  descriptionForWrite,
  parseRegistration,
  readElements,
  type XmlElement,
} from '../../src/core/registration/registration.ts';
import { runs } from '../support/property-runs.ts';
import { type OracleElement, readWithOracle } from '../support/xml-oracle.ts';
import { aDescription, type Description, mutations, render, shuffled } from './descriptions.ts';

const INSTANCE = 'http://www.w3.org/2001/XMLSchema-instance';

describe('readElements against a complete XML parser', () => {
  test('agrees on every description of every kind, however it is written', () => {
    fc.assert(
      fc.property(aDescription, ({ xml }) => {
        expect(seen(readElements(xml).elements)).toEqual(expected(xml));
      }),
      { numRuns: runs(1200) },
    );
  });

  test('agrees or throws a DrError when the text is damaged', () => {
    fc.assert(
      fc.property(aDescription, mutations, ({ xml }, mutate) => {
        const damaged = mutate(xml);
        const ours = attempt(() => seen(readElements(damaged).elements));
        if (ours !== undefined && !holdsControlCharacter(damaged)) expect(ours).toEqual(expected(damaged));
      }),
      { numRuns: runs(3000) },
    );
  });

  test('throws for every beginning of a description that is not the whole', () => {
    fc.assert(
      fc.property(aDescription, ({ xml }) => {
        const end = xml.trimEnd().lastIndexOf('>');
        for (let length = 0; length < end; length++) {
          expect(attempt(() => readElements(xml.slice(0, length)))).toBeUndefined();
        }
      }),
      { numRuns: runs(24) },
    );
  });
});

describe('parseRegistration', () => {
  test('reads back what a description was made of', () => {
    fc.assert(
      fc.property(aDescription, ({ xml, made }) => {
        const { xml: _, ...read } = parseRegistration(xml);
        expect(read).toMatchObject(made);
      }),
      { numRuns: runs(1200) },
    );
  });
});

describe('descriptionForWrite', () => {
  test('loses the three elements the hub owns, keeps the rest byte for byte, and is the same registration', () => {
    fc.assert(
      fc.property(aDescription, ({ xml }) => {
        const written = descriptionForWrite(xml);
        const names = readElements(written).elements.map(({ name }) => name);
        expect(names).not.toContain('ETag');
        expect(names).not.toContain('RegistrationId');
        expect(descriptionForWrite(written)).toBe(written);
        expect(canonicalRow(written)).toBe(canonicalRow(xml));
        const { elements } = readElements(xml);
        const owned = elements.filter(({ name }) => ['ETag', 'ExpirationTime', 'RegistrationId'].includes(name));
        const kept = owned.reduceRight((text, { start, end }) => text.slice(0, start) + text.slice(end), xml);
        expect(written).toBe(kept);
      }),
      { numRuns: runs(1000) },
    );
  });
});

describe('canonicalRow', () => {
  test('is the same for one registration written in two ways', () => {
    fc.assert(
      fc.property(aDescription, fc.infiniteStream(fc.nat()), ({ source }, choices) => {
        const again = render(shuffled(source, choices), choices);
        expect(canonicalRow(again)).toBe(canonicalRow(render(source, choices)));
      }),
      { numRuns: runs(1000) },
    );
  });

  test('differs when the text of a field differs', () => {
    fc.assert(
      fc.property(aDescription, fc.infiniteStream(fc.nat()), fc.nat(), ({ source }, choices, which) => {
        const fields = source.fields.filter(
          ({ name, children }) =>
            children === undefined && !['ETag', 'ExpirationTime', 'RegistrationId'].includes(name),
        );
        const changed = fields[which % fields.length];
        const other: Description = {
          ...source,
          fields: source.fields.map((field) => (field === changed ? { ...field, text: `${field.text}~x` } : field)),
        };
        expect(canonicalRow(render(other, choices))).not.toBe(canonicalRow(render(source, choices)));
      }),
      { numRuns: runs(1000) },
    );
  });
});

type Seen = readonly [name: string, text: string, attributes: readonly string[], children: readonly Seen[]];

function seen(elements: readonly XmlElement[]): Seen[] {
  return elements.map(({ name, text, attributes, children }) => [
    name,
    text,
    attributes.map((attribute) => `${attribute.name}=${attribute.value}`).sort(),
    seen(children),
  ]);
}

function expected(xml: string): Seen[] {
  const root = readWithOracle(xml);
  const convert = (element: OracleElement): Seen => {
    const attributes = element.attributes
      .filter(({ namespace }) => namespace !== 'http://www.w3.org/2000/xmlns/' && namespace !== INSTANCE)
      .map(({ name, namespace, value }) => `${namespace === '' ? name : clark(name, namespace)}=${value}`)
      .sort();
    const text = element.children.length > 0 ? '' : element.text;
    // Other than an attribute, an element in no namespace is not one of the root's.
    const name = element.namespace === root.namespace ? element.name : clark(element.name, element.namespace);
    return [name, text, attributes, element.children.map(convert)];
  };
  return root.children.map(convert);
}

function clark(name: string, namespace: string): string {
  return `{${namespace}}${name}`;
}

/** What the reader lets through on purpose and the oracle does not. */
function holdsControlCharacter(xml: string): boolean {
  return /[^\t\n\r -\uFFFD]|&#/u.test(xml) || !xml.isWellFormed();
}

function attempt<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (error instanceof DrError && error.code === 'HubMisbehaves') return undefined;
    throw error;
  }
}
