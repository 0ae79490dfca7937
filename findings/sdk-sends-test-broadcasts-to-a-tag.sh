#!/usr/bin/env bash
# The hub SDK for JavaScript sends a test broadcast to the devices with the tag `undefined`.
# One would guess: `sendBroadcastNotification` with `enableTestSend` reaches a few devices of the hub, whatever their tags.
# What is so: the request has the header `ServiceBusNotification-Tags: undefined`, so it reaches those with that tag: none.
# Without `enableTestSend` there is no such header.
# Why it matters here: a test broadcast that reports no failure says nothing about a hub that was restored. Our drills
# count what each device received.
# Needs npm and Node 20 or later. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix "$folder" @azure/notification-hubs@2.1.0
cat > look.mjs <<'JS'
import { createAppleNotification, NotificationHubsClient } from '@azure/notification-hubs';
import { createHttpHeaders } from '@azure/core-rest-pipeline';

const seen = [];
const httpClient = {
  sendRequest: async (request) => {
    const isTest = new URL(request.url).searchParams.has('test');
    const name = 'servicebusnotification-tags';
    const tags = request.headers.has(name) ? `"${request.headers.get(name)}"` : 'absent';
    seen.push(`${isTest ? 'test' : 'plain'} broadcast, tags ${tags}`);
    const bodyAsText = '<NotificationOutcome><Success>0</Success><Failure>0</Failure><Results/></NotificationOutcome>';
    return { request, status: 201, headers: createHttpHeaders({ location: 'https://n.example/h/messages/1' }), bodyAsText };
  },
};
const client = new NotificationHubsClient('Endpoint=sb://n.example/;SharedAccessKeyName=k;SharedAccessKey=a', 'h', { httpClient });
const notification = createAppleNotification({ body: '{"aps":{"alert":"x"}}' });
await client.sendBroadcastNotification(notification, { enableTestSend: true });
await client.sendBroadcastNotification(notification);
console.log(`@azure/notification-hubs 2.1.0: ${seen.join('; ')}`);
process.exit(seen.join('; ') === 'test broadcast, tags "undefined"; plain broadcast, tags absent' ? 0 : 1);
JS
node look.mjs
# Seen: @azure/notification-hubs 2.1.0: test broadcast, tags "undefined"; plain broadcast, tags absent
