import type { RunKind } from '../../src/core/paths.ts';

export interface Artefact {
  readonly what: string;
  readonly name: RegExp;
  /** What may be put in its place: another shard's, another pass's, another run's. */
  readonly sibling: RegExp;
  /** When it is damaged: before the first step of this phase. */
  readonly during: RunKind;
  readonly before: string;
  /** What a failure may name in place of the blob itself. */
  readonly orNamed?: RegExp;
}

/** Every kind of document a run stores or reads, and when it is damaged. */
export const artefacts: readonly Artefact[] = [
  ...['scan#1', 'seal#1', 'publish#1'].map((before) => ({
    what: 'run document of a backup',
    name: /^_runs\/backup\/[^/]+\/run\.json$/,
    sibling: /^_runs\/backup\/[^/]+\/run\.json$/,
    during: 'backup' as const,
    before,
    orNamed: /^RunNotFound: /,
  })),
  ...['seal#1', 'publish#1'].map((before) => ({
    what: 'scan checkpoint of a backup',
    name: /^_runs\/backup\/.*\/scan\.json$/,
    sibling: /^_runs\/backup\/.*\/scan\.json$/,
    during: 'backup' as const,
    before,
  })),
  ...[/\/segments\/00000/, /\/segments\/00001/].map((name) => ({
    what: `segment ${name.source.at(-1)} of a backup`,
    name,
    sibling: /\/segments\//,
    during: 'backup' as const,
    before: 'seal#1',
  })),
  {
    what: 'segment of a backup, or that of an earlier one,',
    name: /\/segments\/00000/,
    sibling: /^_runs\/backup\/2026-11-23T09-01.*\/segments\/00000/,
    during: 'backup',
    before: 'seal#1',
  },
  {
    what: 'seal result of a backup',
    name: /^_runs\/backup\/.*\/seal\/.*0001\.json$/,
    sibling: /\/seal\/.*0002\.json$/,
    during: 'backup',
    before: 'publish#1',
  },
  {
    what: 'shard of a snapshot being made',
    name: /\/shards\/0000/,
    sibling: /\/shards\/0001/,
    during: 'backup',
    before: 'publish#1',
  },
  {
    what: 'lock of a backup',
    name: /^_locks\/backup\//,
    sibling: /^_locks\/restore\//,
    during: 'backup',
    before: 'seal#1',
  },
  ...['start', 'scan#1', 'seal#1', 'reconcile#1'].map((before) => ({
    what: 'manifest',
    name: /\/manifest\.json$/,
    sibling: /\/manifest\.json$/,
    during: 'restore' as const,
    before,
  })),
  { what: 'latest.json', name: /\/latest\.json$/, sibling: /\/manifest\.json$/, during: 'restore', before: 'start' },
  ...['start', 'seal#1', 'reconcile#1', 'reconcile#2'].flatMap((before) =>
    [/\/shards\/0002/, /T09-01.*\/shards\/0001/].map((sibling) => ({
      what: `shard of the snapshot, or ${sibling.source},`,
      name: /devices\/snapshots\/.*\/shards\/0001/,
      sibling,
      during: 'restore' as const,
      before,
    })),
  ),
  ...['scan#1', 'reconcile#1', 'scan#2', 'finish#2'].map((before) => ({
    what: 'run document of a restore',
    name: /^_runs\/restore\/.*\/run\.json$/,
    sibling: /^_runs\/backup\/.*\/run\.json$/,
    during: 'restore' as const,
    before,
    orNamed: /^RunNotFound: /,
  })),
  {
    what: 'scan checkpoint of a restore',
    name: /pass-2\/scan\.json$/,
    sibling: /pass-1\/scan\.json$/,
    during: 'restore',
    before: 'seal#2',
  },
  {
    what: 'segment of a restore before it is compared',
    name: /pass-2\/segments\/00000/,
    sibling: /pass-2\/segments\/00001/,
    during: 'restore',
    before: 'reconcile#2',
  },
  {
    what: 'segment of a restore',
    name: /pass-2\/segments\//,
    sibling: /pass-1\/segments\//,
    during: 'restore',
    before: 'seal#2',
  },
  ...['1', '2'].flatMap((pass) => [
    ...[new RegExp(`seal/pass-${pass}/0002\\.json$`), /seal\/pass-1\/0001\.json$/].map((sibling) => ({
      what: `comparison of pass ${pass}, or ${sibling.source},`,
      name: new RegExp(`_runs/restore/.*seal/pass-${pass}/0001\\.json$`),
      sibling,
      during: 'restore' as const,
      before: `reconcile#${pass}`,
    })),
    {
      what: `prints of the snapshot before reconcile ${pass}`,
      name: /\/staging\/prints\/0001/,
      sibling: /\/staging\/prints\/0002/,
      during: 'restore' as const,
      before: `reconcile#${pass}`,
    },
  ]),
  {
    what: 'prints a backup left beside a shard',
    name: /\/snapshots\/.*\/prints\/0001$/,
    sibling: /\/snapshots\/.*\/prints\/0002$/,
    during: 'restore',
    before: 'seal#1',
  },
  {
    what: 'prints of the snapshot before the second seal',
    name: /\/staging\/prints\/0001/,
    sibling: /\/staging\/prints\/0000/,
    during: 'restore',
    before: 'seal#2',
  },
  {
    what: 'segment of a restore, or that of the pass before,',
    name: /pass-2\/segments\/00000/,
    sibling: /pass-1\/segments\/00000/,
    during: 'restore',
    before: 'reconcile#2',
  },
  {
    what: 'reconcile result',
    name: /(?:reconcile\/pass-1|pass-1\/reconcile)\/0001\.json$/,
    sibling: /(?:reconcile\/pass-1|pass-1\/reconcile)\/0002\.json$/,
    during: 'restore',
    before: 'reconcile#2',
  },
  {
    what: 'id map',
    name: /\/id-map\/0004\/0001\.json$/,
    sibling: /\/id-map\/0004\/0002\.json$/,
    during: 'restore',
    before: 'reconcile#2',
  },
  {
    what: 'lock of a restore',
    name: /^_locks\/restore\//,
    sibling: /^_locks\/backup\//,
    during: 'restore',
    before: 'reconcile#1',
  },
  ...['seal#1', 'finish#2'].map((before) => ({
    what: 'readiness card',
    name: /\/readiness\.json$/,
    sibling: /\/latest\.json$/,
    during: 'restore' as const,
    before,
  })),
];
