#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Kept apart from the built program: it stays executable over builds, and can say that one is missing.
const program = new URL('../dist/notification-hubs-dr.mjs', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write('notification-hubs-dr is not built yet. Run: npm run build\n');
  process.exitCode = 2;
}
