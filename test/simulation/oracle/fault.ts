/** In what a device's rows are not as the run that ended says. */
export interface Fault {
  readonly kind:
    | 'stale'
    | 'incomplete'
    | 'otherBody'
    | 'altered'
    | 'saysInPlace'
    | 'lost'
    | 'doubled'
    | 'expiresEarly'
    | 'leftover';
  readonly text: string;
  /** One of the two hubs has not stored it as it was sent. */
  readonly isAltered?: boolean;
  /** A row that stays beside its device's, as if added since: counted as `leftover`, or as kept. */
  readonly isAdded?: boolean;
}
