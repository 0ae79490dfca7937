import { pathToFileURL } from 'node:url';
import { plantedUrl, prepareCopy } from '../modules.ts';
import { dualPlants, isDualPlantName } from './plants.ts';

type Loaded<T> = Promise<T>;

/** What of the built app writes to both hubs: the library that backends use, and the app's lane that repairs. */
export type DualEngine = Awaited<ReturnType<typeof loadDualEngine>>;

/** Loads a build's modules, or a copy of them with a known bug; `dist` is the folder that holds `src`. */
export async function loadDualEngine(dist: string, bug?: string) {
  const root = pathToFileURL(`${dist}/src/`);
  if (bug !== undefined) await prepareCopy(root, bug, isDualPlantName(bug) ? dualPlants[bug].changes : []);
  const load = (path: string) => {
    const { href } = new URL(path, root);
    return import(bug === undefined ? href : plantedUrl(href, bug));
  };
  const pair: Loaded<typeof import('../../../src/redundant/pair-writes.ts')> = load('redundant/pair-writes.js');
  const error: Loaded<typeof import('../../../src/redundant/error.ts')> = load('redundant/error.js');
  const lane: Loaded<typeof import('../../../src/app/dual/lane.ts')> = load('app/dual/lane.js');
  const app: Loaded<typeof import('../../../src/app/app.ts')> = load('app/app.js');
  const role: Loaded<typeof import('../../../src/app/runs/declare-role.ts')> = load('app/runs/declare-role.js');
  const erasure: Loaded<typeof import('../../../src/app/erasure/erase.ts')> = load('app/erasure/erase.js');
  const errors: Loaded<typeof import('../../../src/core/errors.ts')> = load('core/errors.js');
  const paths: Loaded<typeof import('../../../src/core/paths.ts')> = load('core/paths.js');
  return {
    PairWrites: (await pair).PairWrites,
    RedundantHubError: (await error).RedundantHubError,
    enqueueRepairs: (await lane).enqueueRepairs,
    parseDualStep: (await lane).parseDualStep,
    repairFolder: (await lane).repairFolder,
    createMemory: (await app).createMemory,
    declareRole: (await role).declareRole,
    erase: (await erasure).erase,
    DrError: (await errors).DrError,
    RecordFault: (await errors).RecordFault,
    INTENTS_FOLDER: (await paths).INTENTS_FOLDER,
    LAGS_FOLDER: (await paths).LAGS_FOLDER,
  };
}
