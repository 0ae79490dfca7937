/** How README teaches to call this tool: what is printed can be pasted. */
export const tool = 'npx notification-hubs-dr';
