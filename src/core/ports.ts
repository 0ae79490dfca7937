/** A hub's identity. `namespace` is the first label of its host (or `host-port`), `hub` its name, both lower-case. */
export interface HubRef {
  readonly namespace: string;
  readonly hub: string;
}

/**
 * One page of a hub's listing: at most 100 registrations, each its description's XML in UTF-8 exactly as the hub gave
 * it.
 */
export interface Page {
  readonly rows: readonly Uint8Array[];
  /** Where rows belong that the hub did not give, counted with them from 0; absent where there are none. */
  readonly missing?: readonly number[];
  /** Absent on the last page. Opaque: hand it back as it is. */
  readonly nextToken: string | undefined;
}

/** What became of one write. `refused` is about the registration id, `rejected` about the record itself. */
export type WriteOutcome =
  | {
      readonly kind: 'written';
      /** Of a registration: one lived under that id before. Not known of a call that was made more than once. */
      readonly isReplaced?: boolean;
    }
  | { readonly kind: 'idRefused'; readonly status: number }
  | {
      readonly kind: 'rejected';
      readonly status: number;
      readonly reason: RejectReason;
      /** What the hub said, without what may be the record's own. */
      readonly words?: string | undefined;
    }
  /** It is no longer as it was seen, and stays. */
  | {
      readonly kind: 'changed';
      /** The call was made more than once: the hub may have taken it before, and lost the answer. */
      readonly isRetried?: boolean;
    };

/** Stable reason codes of a record the hub would not take. */
export type RejectReason = 'Rejected' | 'TooLarge' | 'Stale';

/** How long a call may go on: it stops retrying at `deadlineAt` (epoch ms) and throws a retryable error. */
export interface CallOptions {
  readonly deadlineAt: number;
  /**
   * Throws `RecordFault` soon, so that others get its place, when the hub fails at this record and serves others. Without
   * it that is after the usual patience.
   */
  readonly givesWay?: true;
  /** Called each time an attempt that got no answer is repeated: what it was to do may still happen, also after the answer. */
  readonly onRepeated?: () => void;
}

/** A probe ends at the deadline, even while an answer is under way. */
export interface ProbeOptions extends CallOptions {
  /** Only whether it lists: one request, which tells no tier. */
  readonly isBrief?: boolean;
}

export interface PutOptions extends CallOptions {
  /** Only over a registration that still has this ETag. */
  readonly ifMatch?: number | undefined;
}

export interface ListOptions extends CallOptions {
  /**
   * Gets the next page's token as soon as it is known, before this page has come whole. The page may yet name another
   * one, when it came damaged and was asked for again.
   */
  readonly onNextToken?: (token: string) => void;
}

export type RowQuery = { readonly tag: string } | { readonly handle: string };
/** What a person has is fewer. */
export const MOST_ROWS_FOUND = 1000;

/**
 * A notification hub. Every call may be made twice. Throttling, transient faults and a rotated key are retried
 * inside, up to the deadline; what is thrown is a `DrError`: `HubUnavailable` (retryable), `HubUnauthorized`,
 * `HubForbidden`, `HubNotFound`, `QuotaExceeded`, `HubMisbehaves` (an answer that cannot be understood). What is said to
 * a call about one record, and not to one about the hub, is the record's: a write is `rejected`, any other call throws
 * `RecordFault`.
 */
export interface Hub {
  readonly ref: HubRef;
  /** `token: undefined` starts a listing. Answers `'tokenLost'` when the hub no longer takes the token. */
  listPage(token: string | undefined, options: ListOptions): Promise<Page | 'tokenLost'>;
  /** Creates or replaces the registration under `id`; `xml` has no ETag, ExpirationTime or RegistrationId. */
  putRegistration(id: string, xml: string, options: PutOptions): Promise<WriteOutcome>;
  /** The registration under that id, as `Page` has rows; `undefined` when there is none. */
  findRegistration(id: string, options: CallOptions): Promise<Uint8Array | undefined>;
  /** The rows of that installation, asked for by its tag. */
  findInstallation(id: string, options: CallOptions): Promise<readonly Uint8Array[]>;
  /** The rows with a tag, or of a device: `MOST_ROWS_FOUND` of them, and maybe some more. */
  findRows(query: RowQuery, options: CallOptions): Promise<readonly Uint8Array[]>;
  /**
   * Deletes the registration if it still has that ETag: `gone` also when it was not there, `changed` when it has
   * another one and stays.
   */
  deleteRegistration(id: string, etag: number, options: CallOptions): Promise<'gone' | 'changed'>;
  /** Asks the hub for an unused registration id. Leaves nothing behind when it is not used. */
  createRegistrationId(options: CallOptions): Promise<string>;
  /** Hands over an installation (JSON body). `written` means queued by the service, not applied. */
  putInstallation(id: string, json: string, options: CallOptions): Promise<WriteOutcome>;
  /** Changes an installation (JSON Patch); queued like a PUT. `changed`: there is none. */
  patchInstallation(id: string, json: string, options: CallOptions): Promise<WriteOutcome>;
  /**
   * Asks the service to delete an installation with all its rows; queued like a PUT. One that is not there is no error.
   */
  deleteInstallation(id: string, options: CallOptions): Promise<void>;
  /** Rights and tier as far as they can be known without writing a device. Throws what `listPage` throws. */
  probe(options: ProbeOptions): Promise<HubProbe>;
  /** How the calls of this process went so far. */
  pace(): HubPace;
}

export interface HubProbe {
  /** `Standard` when the hub offers what only Standard has; `BasicOrFree` when it says that its tier does not. */
  readonly tier: 'Standard' | 'BasicOrFree' | 'unknown';
  /** Milliseconds of the slowest probe call. */
  readonly latencyMs: number;
}

/** How a hub's calls went so far in this process, for the status of a run. */
export interface HubPace {
  readonly requestCount: number;
  readonly throttledCount: number;
  readonly millisecondsLostToThrottling: number;
  /** When it last answered, be it that it throttles (epoch ms). */
  readonly lastAnswerAt?: number | undefined;
  /** How many requests a second it was found to take; absent while it has not throttled of late. */
  readonly requestsPerSecond?: number | undefined;
}

/** How a bulk job of a hub is, as far as the hub says. */
export interface JobLook {
  readonly status: 'Started' | 'Running' | 'Completed' | 'Failed';
  /** Percent; a job that is done need not have 100. */
  readonly progress: number;
  /** The names of its files in the container, where the hub says them. */
  readonly outputName?: string | undefined;
  readonly failedName?: string | undefined;
  readonly failure?: string | undefined;
}

/** The bulk jobs of one hub. Throws what `Hub` throws; a tier without jobs is `HubForbidden`. */
export interface HubJobs {
  /**
   * Hands one over: an export into the container, or an import of the file there, which creates registrations. The
   * answer is its id. Made twice, it is two jobs.
   */
  submit(containerUrl: string, options: CallOptions, importFileUrl?: string): Promise<string>;
  /** The id of a job that was handed over with a container of that name. */
  find(container: string, options: CallOptions): Promise<string | undefined>;
  look(jobId: string, options: CallOptions): Promise<JobLook>;
}

/** A file a job has written. */
export interface JobFile {
  readonly name: string;
  readonly sizeBytes: number;
}

/** Containers made for one job each, so that an address handed to it opens nothing else. Throws as `Blobs`. */
export interface JobFiles {
  /** Makes the container if it is missing. The answer is its address, which lets its holder read and write for so long. */
  open(container: string, forMs: number): Promise<string>;
  /** What the job has written: under that name where it is known, else the one file of that title there is. */
  find(container: string, title: string, name?: string): Promise<JobFile | undefined>;
  read(container: string, name: string, range: BlobRange): Promise<Uint8Array>;
  /** Puts a file into the container, in place of one that is there. */
  write(container: string, name: string, bytes: Uint8Array): Promise<void>;
  /** A file's address, which lets its holder read it for so long. */
  address(container: string, name: string, forMs: number): Promise<string>;
  /** The container goes with all that is in it, and its addresses with it. */
  remove(container: string): Promise<void>;
  /** The same for containers of any job made before that (epoch ms). */
  removeBefore(atMs: number): Promise<void>;
}

/** What push services have said of one hub's devices. Throws what `Hub` throws; a tier without it is `HubForbidden`. */
export interface Feedback {
  /** The address of the container the hub keeps it in, which opens it. */
  container(options: CallOptions): Promise<string>;
  /** A send: how far it is, and the address of its errors, where there are any. `undefined`: the hub knows none. */
  notification(
    id: string,
    options: CallOptions,
  ): Promise<{ readonly state: string; readonly errors: string | undefined } | undefined>;
}

export interface FeedbackFile {
  readonly name: string;
  readonly sizeBytes: number;
  readonly etag: string;
}

/** Files at addresses that open them. Throws `HubUnavailable` (retryable) and `HubMisbehaves`; no address in a message. */
export interface FeedbackFiles {
  list(address: string): Promise<readonly FeedbackFile[]>;
  /** A file of the container at that address; without a name, the file at it. Less than asked for where it ends. */
  read(address: string, name: string | undefined, range: BlobRange): Promise<Uint8Array>;
}

/** Small string facts kept beside a blob and returned by `list` without reading the blob. ASCII only. */
export type BlobFacts = Readonly<Record<string, string>>;

export interface Blob {
  readonly bytes: Uint8Array;
  readonly etag: string;
  /** As `BlobEntry` has it. */
  readonly ageMs: number;
}

export interface BlobEntry {
  readonly name: string;
  readonly facts: BlobFacts;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  readonly modifiedAt: Date;
  readonly etag: string;
  /** Milliseconds since it was written, by the clock of the storage alone, which keeps whole seconds. */
  readonly ageMs: number;
  /** It cannot be read: it is in the archive tier, or is still being taken from there. */
  readonly isArchived?: true;
}

export interface BlobRange {
  readonly offset: number;
  readonly length: number;
}

/** When a `put` may take effect: `new` only if the name is free, an ETag only if the blob still has it. */
export type PutCondition = 'new' | 'any' | { readonly etag: string };

/**
 * Named blobs in one container. Reads see the last completed write; a `put` is atomic; `list` is in name order and
 * sees every completed write. Transient faults are retried inside; what is thrown is `StorageUnavailable` (retryable
 * where it may pass), or `StorageArchived` for a blob that cannot be read as it is.
 * That a blob is not there is asked twice, but where it `mayBeMissing` and nothing hangs on it: that is one request.
 */
export interface Blobs {
  /** Whole blob, or `length` bytes from `offset`. `undefined` when there is none. */
  get(name: string, how?: BlobRange | 'mayBeMissing'): Promise<Blob | undefined>;
  /** The new ETag, or `'conflict'` when the condition does not hold. */
  put(name: string, bytes: Uint8Array, condition: PutCondition, facts?: BlobFacts): Promise<string | 'conflict'>;
  list(prefix: string): Promise<readonly BlobEntry[]>;
  /** The names one level below `prefix` (which ends in `/`), each with its trailing slash, in name order. */
  listFolders(prefix: string): Promise<readonly string[]>;
  /** Removes the blob; no error when there is none. With an ETag only if the blob still has it. */
  remove(name: string, etag?: string): Promise<void>;
  /**
   * Removes what is left of a folder (which ends in `/`) whose blobs were removed: an account with hierarchical namespace
   * keeps it, and its folders. One that holds a blob stays. Costs nothing where there is nothing of the kind.
   */
  removeFolder(prefix: string): Promise<void>;
  /** Makes the container if it is missing. */
  ensure(): Promise<void>;
}

/**
 * Each lane has a queue and a queue function of its own, so that steps that hang in one leave the slots of the others
 * free.
 */
export type Lane = 'restores' | 'backups' | 'rest' | 'writes';

/** `former` is the one queue of earlier versions: it is only read, and gets back what belongs to another app. */
export type QueueName = Lane | 'former';

/** The queues of steps. At least once: a message may arrive twice, late or out of order. */
export interface StepQueue {
  /** Adds each text as one message that becomes visible after the delay. Creates the queue if it is missing. */
  send(queue: QueueName, texts: readonly string[], delaySeconds?: number): Promise<void>;
  /** The texts of up to `MAX_PEEKED` messages that are visible, which stay as they are; none when the queue is missing. */
  peek(lane: Lane): Promise<readonly string[]>;
}

/** What the alert webhook gets. Counts, ids and what to do; never a secret or device data. */
export interface AlertMessage {
  /** The same when a condition begins and when it ends. */
  readonly id: string;
  readonly state: 'open' | 'resolved';
  readonly code: string;
  readonly severity: 'critical' | 'warning';
  readonly message: string;
  /** `{namespace}/{hub}` of the hub in use. */
  readonly hub: string;
  readonly runId?: string | undefined;
  readonly snapshotId?: string | undefined;
  readonly at: string;
}

/** Why a call was not accepted, fit for a log: a status or the code of a network fault, never an address. */
export type NotTaken = string;

/** Tells the world outside. Never throws; every call may be made twice, and ends within seconds. */
export interface Notifier {
  readonly hasHeartbeat: boolean;
  readonly hasWebhook: boolean;
  /** `undefined` when it was accepted, or when no address is set. */
  heartbeat(): Promise<NotTaken | undefined>;
  alert(message: AlertMessage): Promise<NotTaken | undefined>;
}

/** Time, chance and what the process does beside its own turn: passed in, so that tests and simulations own them. */
export interface World {
  /** Epoch ms by this host's clock, for durations and deadlines within the process. */
  now(): number;
  /** Epoch ms by the storage's clock, as far as it is known: for all that is stored, or compared with it. */
  storageNow(): number;
  sleep(milliseconds: number): Promise<void>;
  /**
   * Does the work again and again, each time that long after it last ended, until it is stopped or the process ends,
   * which it does not delay. The work must not throw.
   */
  repeat(everyMs: number, work: () => Promise<void>): () => void;
  /** Lets other work run: resolves one turn of the event loop later. */
  nextTurn(): Promise<void>;
  /** Six random hexadecimal digits. */
  newSuffix(): string;
  /** On another thread. */
  gzip(bytes: Uint8Array): Promise<Uint8Array>;
  /** On another thread. Rejects damaged bytes. */
  gunzip(bytes: Uint8Array): Promise<Uint8Array>;
}

export type Clock = Pick<World, 'now' | 'sleep'>;

/** Message constants and fields; no device token, tag, key or SAS may be handed in. */
export interface Log {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;
