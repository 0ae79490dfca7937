#!/usr/bin/env bash
# A meter of OpenTelemetry that was asked for before the SDK started measures nothing, for good; a tracer works.
# One would guess: both are proxies that find the SDK once it is there, so that a module may make its instruments when it is
# loaded.
# What is so: the API hands out a proxy for a tracer, and an empty meter. Its instruments stay empty, without a warning.
# Why it matters here: `src/telemetry/record.ts` asks for the meter each time, because the SDK is loaded only where an address
# is set, and after the functions.
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" \
  @opentelemetry/api@1.9.1 @opentelemetry/sdk-metrics@2.10.0 @opentelemetry/sdk-trace-base@2.10.0
cat > look.mjs <<'JS'
import { metrics, trace } from '@opentelemetry/api';
import { AggregationTemporality, InMemoryMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';

const early = { counter: metrics.getMeter('early').createCounter('early'), tracer: trace.getTracer('early') };
const measured = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
const spans = new InMemorySpanExporter();
const meters = new MeterProvider({ readers: [new PeriodicExportingMetricReader({ exporter: measured })] });
metrics.setGlobalMeterProvider(meters);
trace.setGlobalTracerProvider(new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }));
early.counter.add(1);
metrics.getMeter('late').createCounter('late').add(1);
early.tracer.startSpan('early').end();
await meters.forceFlush();
const names = measured.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics.flatMap(({ metrics: all }) => all.map((one) => one.descriptor.name)));
console.log(`metrics seen: ${names.join(', ')}; spans seen: ${spans.getFinishedSpans().map(({ name }) => name).join(', ')}`);
process.exit(names.join() === 'late' && spans.getFinishedSpans().length === 1 ? 0 : 1);
JS
node look.mjs
# Seen: metrics seen: late; spans seen: early
