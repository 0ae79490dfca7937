import { keysOf, ofType, type Shape, settingsOf } from './shapes.ts';

/**
 * What Flex Consumption refuses, in some regions only, or ignores: Microsoft Learn, "App settings reference for Azure
 * Functions", "Flex Consumption plan deprecations"; and reports of code 51021 (azure-pipelines-tasks #21032,
 * azure-functions-host #10643).
 */
const refusedSettings: ReadonlySet<string> = new Set(
  `ENABLE_ORYX_BUILD SCM_DO_BUILD_DURING_DEPLOYMENT FUNCTIONS_EXTENSION_VERSION FUNCTIONS_WORKER_RUNTIME
  FUNCTIONS_WORKER_RUNTIME_VERSION FUNCTIONS_MAX_HTTP_CONCURRENCY FUNCTIONS_WORKER_PROCESS_COUNT
  FUNCTIONS_WORKER_DYNAMIC_CONCURRENCY_ENABLED WEBSITE_CONTENTAZUREFILECONNECTIONSTRING WEBSITE_CONTENTSHARE
  WEBSITE_CONTENTOVERVNET WEBSITE_SKIP_CONTENTSHARE_VALIDATION WEBSITE_DNS_SERVER
  WEBSITE_MAX_DYNAMIC_APPLICATION_SCALE_OUT WEBSITE_NODE_DEFAULT_VERSION WEBSITE_RUN_FROM_PACKAGE
  WEBSITE_VNET_ROUTE_ALL WEBSITE_MOUNT_ENABLED WEBSITE_USE_PLACEHOLDER_DOTNETISOLATED AzureWebJobsDashboard
  WEBSITE_TIME_ZONE TZ WEBSITE_LOAD_CERTIFICATES`.split(/\s+/),
);

const refusedProperties: ReadonlySet<string> = new Set(
  `linuxFxVersion windowsFxVersion netFrameworkVersion phpVersion pythonVersion nodeVersion javaVersion javaContainer
  javaContainerVersion powerShellVersion alwaysOn ftpsState use32BitWorkerProcess preWarmedInstanceCount
  functionsRuntimeScaleMonitoringEnabled functionAppScaleLimit containerSize dnsConfiguration isReserved IsXenon
  vnetRouteAllEnabled vnetContentShareEnabled vnetImagePullEnabled vnetBackupRestoreEnabled healthCheckPath
  endToEndEncryptionEnabled siteUpdateStrategy`.split(/\s+/),
);

export function refusedByThePlan(shape: Shape): readonly string[] {
  const settings = settingsOf(shape).flatMap((all) => Object.keys(all));
  const sites = ofType(shape, 'Microsoft.Web/sites').flatMap(namesIn);
  return [
    ...settings.filter((name) => refusedSettings.has(name)).map((name) => `the plan refuses the setting ${name}`),
    // Even empty, it is taken for a connection string, and its parts are ignored.
    ...settings
      .filter((name) => ['AzureWebJobsStorage', 'SNAPSHOT_STORAGE'].includes(name))
      .map((name) => `${name} hides its parts`),
    ...sites.filter((name) => refusedProperties.has(name)).map((name) => `the plan refuses the property ${name}`),
  ];
}

/** The names of all properties, at any depth. */
function namesIn(value: unknown): readonly string[] {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  return Object.entries(keysOf(value)).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
}
