#!/usr/bin/env bash
# The hub SDK for JavaScript reads a job's output by the prefix of its XML names, not by their namespace.
# One would guess: a job is read whatever prefix the service binds to the namespace of its key-value pairs.
# What is so: only `d3p1:` is read; under any other prefix, the same XML to a parser, reading the job throws a TypeError.
# Why it matters here: .NET numbers such prefixes by depth, so one element more around them changes the name. A watchdog
# that looks at jobs through the SDK would then take each finished job for one that cannot be read. We look at them with
# our own reader.
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @azure/notification-hubs@2.1.0
cat > look.mjs <<'JS'
import { NotificationHubsClient } from '@azure/notification-hubs';
import { createHttpHeaders } from '@azure/core-rest-pipeline';

const job = (p) => `<entry xmlns="http://www.w3.org/2005/Atom"><content type="application/xml">
  <NotificationHubJob xmlns="http://schemas.microsoft.com/netservices/2010/10/servicebus/connect"><JobId>1</JobId>
  <Type>ExportRegistrations</Type><Status>Completed</Status><OutputContainerUri>https://a.example/c</OutputContainerUri>
  <OutputProperties xmlns:${p}="http://schemas.microsoft.com/2003/10/Serialization/Arrays"><${p}:KeyValueOfstringstring>
  <${p}:Key>OutputFilePath</${p}:Key><${p}:Value>n//h/1/Output.txt</${p}:Value></${p}:KeyValueOfstringstring>
  </OutputProperties></NotificationHubJob></content></entry>`;
async function read(prefix) {
  const httpClient = {
    sendRequest: async (request) => ({ request, status: 200, headers: createHttpHeaders(), bodyAsText: job(prefix) }),
  };
  const client = new NotificationHubsClient('Endpoint=sb://n.example/;SharedAccessKeyName=k;SharedAccessKey=a', 'h', { httpClient });
  return client.getNotificationHubJob('1').then(({ outputProperties }) => JSON.stringify(outputProperties), ({ name }) => name);
}
const [known, other] = [await read('d3p1'), await read('d4p1')];
console.log(`@azure/notification-hubs 2.1.0: under d3p1 ${known}, under d4p1 ${other}`);
process.exit(known === '{"OutputFilePath":"n//h/1/Output.txt"}' && other === 'TypeError' ? 0 : 1);
JS
node look.mjs
# Seen: @azure/notification-hubs 2.1.0: under d3p1 {"OutputFilePath":"n//h/1/Output.txt"}, under d4p1 TypeError
