import { metrics, trace } from '@opentelemetry/api';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace';
import { faultCode } from '../core/errors.ts';

/** Sends to the address in `OTEL_EXPORTER_OTLP_ENDPOINT`, which the exporters read themselves. Gives what flushes them. */
export function startExporters(serviceName: string): () => Promise<void> {
  const resource = resourceFromAttributes({ 'service.name': serviceName });
  const reader = new PeriodicExportingMetricReader({ exporter: new OTLPMetricExporter() });
  const meters = new MeterProvider({ resource, readers: [reader] });
  const traces = new TracerProvider({
    resource,
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  metrics.setGlobalMeterProvider(meters);
  trace.setGlobalTracerProvider(traces);
  return async () => {
    const sent = await Promise.allSettled([meters.forceFlush(), traces.forceFlush()]);
    for (const one of sent) if (one.status === 'rejected') console.warn(`telemetry not sent: ${faultCode(one.reason)}`);
  };
}
