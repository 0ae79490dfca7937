import { type Emulator, type Fault, type FaultInput, startEmulator } from '../../local/hub-lab/index.ts';
import { type Call, caller } from './hub-caller.ts';

/** An emulator with the one hub `n/h`, and a caller of it. */
export interface FaultBench extends AsyncDisposable {
  readonly emulator: Emulator;
  readonly url: string;
  readonly call: Call;
  setFaults(rules: readonly FaultInput[]): void;
  faults(): readonly Fault[];
  rowCount(): number;
  /** Sends one request under these rules. */
  faulty<T>(rules: readonly FaultInput[], send: () => Promise<T>): Promise<T>;
}

export async function startFaultBench({ devices = 0 }: { devices?: number } = {}): Promise<FaultBench> {
  const emulator = await startEmulator({ namespaces: [{ name: 'n', hubs: ['h'] }] });
  const namespace = emulator.namespace('n');
  if (devices > 0) emulator.hub('n', 'h').seed({ devices, seed: 7 });
  return {
    emulator,
    url: namespace.url,
    call: caller(namespace),
    setFaults: (rules) => namespace.setFaults(rules),
    faults: () => namespace.faults(),
    rowCount: () => emulator.hub('n', 'h').stats().registrations,
    faulty: async (rules, send) => {
      namespace.setFaults(rules);
      return send();
    },
    [Symbol.asyncDispose]: () => emulator.close(),
  };
}
