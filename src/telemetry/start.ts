let flush: (() => Promise<void>) | undefined;

/** Starts sending where an address is set, as by the convention of the Functions host. Else nothing of it is loaded. */
export async function startTelemetry(env: Readonly<Record<string, string | undefined>>): Promise<void> {
  if (!env['OTEL_EXPORTER_OTLP_ENDPOINT'] || flush !== undefined) return;
  const { startExporters } = await import('./exporters.ts');
  flush = startExporters(env['OTEL_SERVICE_NAME'] ?? env['WEBSITE_SITE_NAME'] ?? 'notification-hubs-dr');
}

export function hasTelemetry(): boolean {
  return flush !== undefined;
}

/** What was measured and not sent yet. */
export async function flushTelemetry(): Promise<void> {
  await flush?.();
}
