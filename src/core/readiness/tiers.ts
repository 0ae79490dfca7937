/** Active devices a namespace may hold (learn.microsoft.com, Notification Hubs pricing and FAQ, read 2026-11). */
export const deviceLimits = { Free: 500, Basic: 200_000, Standard: 10_000_000 } as const;

export type Tier = keyof typeof deviceLimits;
