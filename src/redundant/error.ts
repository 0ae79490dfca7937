/**
 * Why a write failed: the hub in use did not take it, or what is intended could not be stored.
 *
 * `Refused`: the hub will not take it; correct the device. `NotFound`: there is no such device to patch. `BadRequest`: the
 * call itself is wrong. `StorageUnavailable`: no hub was called, try again; where only the storage's answer was
 * lost, it is carried out all the same, unless something newer is written. Else the hub did not answer as it should.
 */
export class RedundantHubError extends Error {
  override readonly name = 'RedundantHubError';
  /** Stable. Beside those above, the codes of the app's reference. */
  readonly code: string;
  /** What was intended is stored: it will be carried out in both hubs, whether the call is repeated or not. */
  readonly isQueued: boolean;
  /** The hub's answer, where it gave one. */
  readonly status: number | undefined;

  constructor(
    code: string,
    message: string,
    { isQueued = false, status, cause }: { isQueued?: boolean; status?: number; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.code = code;
    this.isQueued = isQueued;
    this.status = status;
  }
}
