import type { CallOptions } from '../../core/ports.ts';
import type { Operation, Verdict } from './answer.ts';
import { isOfRecord } from './served.ts';
import { wordsIn } from './words.ts';

export interface HubRequest {
  readonly operation: Operation;
  readonly method: 'GET' | 'PUT' | 'PATCH' | 'POST' | 'DELETE';
  /** Below the hub, without a leading slash, each part percent-encoded. */
  readonly path: string;
  /** Without `?`; `api-version` is added. */
  readonly query?: string;
  readonly contentType?: string;
  /** The entity tag the call is for, as a number. */
  readonly ifMatch?: number | undefined;
  readonly body?: string;
  /** Of a write: the body of a good answer is read. */
  readonly readsAnswer?: boolean;
  /** Called with the start of a good answer, before its body has come: once an attempt. */
  readonly onHead?: (head: HubHead) => void;
  /** An attempt under way is cut off at the deadline. */
  readonly isCutOff?: boolean;
  /** See `CallOptions`. */
  readonly givesWay?: CallOptions['givesWay'];
  /** See `CallOptions`. */
  readonly onRepeated?: CallOptions['onRepeated'];
  /** For some rows of a listing: when the hub fails at it and serves others, `RecordFault` says so soon. */
  readonly isPage?: true | undefined;
}

export interface HubHead {
  /** The first value of a header, by its lower-case name. */
  header(name: string): string | undefined;
}

export interface HubAnswer extends HubHead {
  readonly status: number;
  readonly verdict: Verdict;
  /** As it came; empty where it is not read. */
  readonly body: Uint8Array;
  /** An attempt before this one was not answered, or refused for now. */
  readonly isRetried: boolean;
}

const NEED_MANAGE: ReadonlySet<Operation> = new Set(['list', 'listOn', 'findByTag', 'jobs']);
/** Needs the right to manage, and no more. */
export const LISTING = { operation: 'list', method: 'GET', path: 'registrations', query: '$top=1' } as const;
/** Needs the right to listen, and no more. */
export const MINTING = { operation: 'newRegistrationId', method: 'POST', path: 'registrationIDs' } as const;

/** What the hub says of the record that a call is about. */
export function wordsOf({ operation, body: sent }: HubRequest, { body }: Pick<HubAnswer, 'body'>): string | undefined {
  return isOfRecord(operation) ? wordsIn(body, sent) : undefined;
}

/** Calls that are about no record, and need the rights that one with this method does. */
export function callsAboutHub(method: HubRequest['method']): readonly HubRequest[] {
  return method === 'GET' ? [LISTING] : [LISTING, MINTING];
}

export function isOfManage({ operation }: HubRequest): boolean {
  return NEED_MANAGE.has(operation);
}

/** It needs a right and nothing else. */
export function isAsking(request: HubRequest): boolean {
  return isOfManage(request) || request.operation === 'newRegistrationId';
}
