/** What the app says and the oracle goes by. `said.test.ts` holds each to the texts of the app. */
export const said = {
  /** More is missing in a target that was in use than devices delete: it is all created. */
  mostMissing: 'so the hub lost them: they are created again, unless it has another record of the same device',
  /** Of a snapshot that no restore takes by itself. */
  heldUndone: 'it holds devices that were taken back',
  /** Of a scratch hub. */
  notOfADrill: 'was not left there by a drill',
} as const;
