import type { ContainerClient } from '@azure/storage-blob';

/** One of the two hubs, as the app's settings name it. */
export interface HubOptions {
  /** Of a policy with Manage, Send and Listen: `Endpoint=sb://…;SharedAccessKeyName=…;SharedAccessKey=…`. */
  readonly connectionString: string;
  readonly hubName: string;
}

export interface RedundantHubOptions {
  /** `PRIMARY_HUB_CONNECTION` and `PRIMARY_HUB_NAME` of the app. */
  readonly primary: HubOptions;
  readonly secondary: HubOptions;
  /** The app's snapshot container (`SNAPSHOT_CONTAINER`), with the right to read, write and delete blobs. */
  readonly container: ContainerClient;
  /** How long a call waits for the hub that is not in use, once the other has answered. Milliseconds; 250 by default. */
  readonly waitForOtherMs?: number;
  /** What goes wrong behind the calls. Never holds a token, tag or key. Nowhere by default. */
  readonly onWarning?: (
    message: string,
    fields: Readonly<Record<string, string | number | boolean | undefined>>,
  ) => void;
}

/** What became of a write that the hub in use has taken. */
export interface Written {
  readonly active: 'ok';
  /** `queued`: the other hub has not confirmed it yet, and will be brought to it. */
  readonly other: 'ok' | 'queued';
}

/** How far the hubs are apart. */
export interface Lag {
  /** Devices that not both hubs have confirmed; those of the last seconds included. */
  readonly waiting: number;
  /** Since when the longest has waited. */
  readonly oldestAt: Date | undefined;
  /** Devices that a hub will not take: there they are as before. Tried again once a day. */
  readonly refused: readonly {
    readonly kind: 'installation' | 'registration';
    readonly id: string;
    /** `{namespace}/{hub}`, and the HTTP status it answered. */
    readonly by: readonly { readonly hub: string; readonly status: number }[];
  }[];
}

export interface Backfilled {
  readonly snapshotId: string;
  /** Devices of the snapshot that the other hub had already, or that a newer write is under way for. */
  readonly there: number;
  readonly added: number;
  /** Queued: a hub did not answer. */
  readonly queued: number;
  /** Neither could be read from the hub in use any more. */
  readonly gone: number;
  /** Erased from the snapshot by the app: left as they are. */
  readonly erased: number;
}

/** Which hub is in use, as `{namespace}/{hub}`. */
export interface Roles {
  readonly active: string;
  readonly standby: string;
}
