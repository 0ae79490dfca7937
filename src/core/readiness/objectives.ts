import type { ReadinessCard } from './card.ts';
import { describeDuration, type Finding, risk } from './finding.ts';
import { isInStep } from './standby.ts';

/** What was promised: how much may be lost, and how long a failover may take. */
export interface Objectives {
  readonly rpoMinutes?: number | undefined;
  readonly rtoMinutes?: number | undefined;
}

interface Measured extends Objectives {
  readonly card: ReadinessCard;
  readonly nowMs: number;
  readonly standbyDriftPercent: number;
}

const MINUTE_MS = 60_000;

/** How long restoring the newest good snapshot would take at the measured rate; `undefined` while nothing was measured. */
export function predictedSeconds({ latest, pace }: ReadinessCard): number | undefined {
  if (latest === undefined || pace === undefined) return undefined;
  return Math.ceil(latest.counts.records / pace.recordsPerSecond + (pace.besidesSeconds ?? 0));
}

/** Each objective with what is measured now; `null` where there is none, or nothing to measure. */
export function viewObjectives(measured: Measured) {
  const { rpoMinutes, rtoMinutes } = measured;
  const [lost, taken] = [lostMsOf(measured), takenMsOf(measured)];
  return {
    rpo: view(rpoMinutes, lost),
    rto: view(rtoMinutes, taken),
  };
}

function view(minutes: number | undefined, measuredMs: number | undefined) {
  if (minutes === undefined) return null;
  if (measuredMs === undefined) return { minutes, measuredSeconds: null, met: null };
  return { minutes, measuredSeconds: Math.round(measuredMs / 1000), met: measuredMs <= minutes * MINUTE_MS };
}

export function judgeObjectives(measured: Measured): Finding[] {
  const { rpoMinutes, rtoMinutes } = measured;
  const { rpo, rto } = viewObjectives(measured);
  const found: Finding[] = [];
  if (rpo?.met === false) {
    const message = `A failover now would lose what changed in the last ${describeDuration(lostMsOf(measured) ?? 0)}, more than RPO_MINUTES (${rpoMinutes}) promises. Back up more often, or find out why the last backup did not end.`;
    found.push(risk('RpoMissed', message));
  }
  if (rto?.met === false) {
    const message = `A failover now would take about ${describeDuration(takenMsOf(measured) ?? 0)}, more than RTO_MINUTES (${rtoMinutes}) promises. Keep the standby in step (STANDBY_SYNC), or raise what it takes.`;
    found.push(risk('RtoMissed', message));
  }
  return found;
}

function lostMsOf({ card: { latest }, nowMs }: Measured): number | undefined {
  return latest === undefined ? undefined : nowMs - Date.parse(latest.readStartedAt);
}

/** A standby in step only needs the switch. */
function takenMsOf({ card, standbyDriftPercent }: Measured): number | undefined {
  const { standby, latest } = card;
  if (standby !== undefined && isInStep(standby, latest?.id, standbyDriftPercent)) return 0;
  const seconds = predictedSeconds(card);
  return seconds === undefined ? undefined : seconds * 1000;
}
