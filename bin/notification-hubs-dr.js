#!/usr/bin/env node
import { existsSync } from 'node:fs';

// Kept apart from the compiled program: it stays executable over builds, and can say that one is missing.
const program = new URL('../dist/src/cli/main.js', import.meta.url);
if (existsSync(program)) await import(program.href);
else {
  process.stderr.write('notification-hubs-dr is not built yet. Run: npm run build\n');
  process.exitCode = 2;
}
