#!/usr/bin/env bash
# Bicep's compiler takes any text for a value of a list, and its warnings leave the exit code at 0.
# One would guess: a compiler that knows `'Free' | 'Basic' | 'Standard'` for `sku.name` refuses 'Premium', and `bicep build`
# in CI fails where it finds something.
# What is so: values of resources are open lists, so that 'Premium' passes without a word. A property that the type does not
# have is a warning, and warnings exit with 0. Only in types of one's own are lists closed.
# Why it matters here: `infra/check` counts what the compiler prints to stderr, and `test/infra/values.ts` holds the values
# against lists of its own.
# Needs the .NET SDK, NuGet and a Linux machine of the x64 kind. Exits with 1 when the behaviour has changed.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cat > compiler.csproj <<'XML'
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup><TargetFramework>netstandard2.0</TargetFramework></PropertyGroup>
  <ItemGroup>
    <PackageReference Include="Azure.Bicep.CommandLine.linux-x64" Version="[0.49.2]" ExcludeAssets="all" />
  </ItemGroup>
</Project>
XML
dotnet restore compiler.csproj --packages packages --verbosity quiet
bicep=$(echo packages/azure.bicep.commandline.linux-x64/*/tools/bicep)
chmod +x "$bicep"
template() {
  cat <<BICEP
param location string
param sku $1
resource namespace 'Microsoft.NotificationHubs/namespaces@2023-09-01' = {
  name: 'push'
  location: location
  sku: { name: $2 }
  properties: { zoneRedundancy: 'Enabled' $3 }
}
output sku string = '\${namespace.name} \${sku}'
BICEP
}
# What the compiler says, and its exit code.
said() {
  local status=0
  "$bicep" build "$1" --stdout 2>&1 >/dev/null | grep -oE '(Warning|Error) [A-Z]+[0-9]+' || true
  "$bicep" build "$1" --stdout >/dev/null 2>&1 || status=$?
  echo "exit $status"
}
template string "'Premium'" '' > value.bicep
template string "'Standard'" "
    zonesRedundant: true" > property.bicep
template "'Free' | 'Standard' = 'Premium'" "'Standard'" '' > closed.bicep
seen="value: $(said value.bicep); property: $(said property.bicep | paste -sd' '); own type: $(said closed.bicep | paste -sd' ')"
echo "$("$bicep" --version): $seen"
[ "$seen" = 'value: exit 0; property: Warning BCP037 exit 0; own type: Error BCP033 exit 1' ]
# Seen: Bicep CLI version 0.49.2 (b34271ac51): value: exit 0; property: Warning BCP037 exit 0; own type: Error BCP033 exit 1
