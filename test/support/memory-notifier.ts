import type { AlertMessage, Notifier } from '../../src/core/ports.ts';

export interface MemoryNotifier extends Notifier {
  heartbeatCount: number;
  /** What the webhook took, in order. */
  readonly alerts: AlertMessage[];
  /** Nothing is accepted meanwhile. */
  isDown: boolean;
}

export function createMemoryNotifier(): MemoryNotifier {
  const notifier: MemoryNotifier = {
    hasHeartbeat: true,
    hasWebhook: true,
    heartbeatCount: 0,
    alerts: [],
    isDown: false,
    heartbeat: async () => {
      if (notifier.isDown) return 'ECONNREFUSED';
      notifier.heartbeatCount += 1;
      return undefined;
    },
    alert: async (message) => {
      if (notifier.isDown) return 'ECONNREFUSED';
      notifier.alerts.push(message);
      return undefined;
    },
  };
  return notifier;
}
