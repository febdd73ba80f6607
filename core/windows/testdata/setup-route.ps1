<#
.SYNOPSIS
Sends the Flatnet subnet 10.87.1.0/24 from Windows to WSL.

.DESCRIPTION
Finds the address that WSL has now, adds the route to 10.87.1.0/24 by way of it,
takes away every other route to that same subnet, reads the table again and
pings the bridge 10.87.1.1. Needs an administrator, except with -Verify.

Written by flatnet-tui from its configuration (flatnet-tui route script); it is
written again when that changes, so do not edit it here.

.PARAMETER Verify
Changes nothing; says whether the route is right and the bridge answers.

.PARAMETER Remove
Takes every route to the subnet away.

.PARAMETER WhatIf
Says what would be changed, and changes nothing.

.NOTES
Exit codes: 0 the route is as asked for; 1 an unexpected error;
2 not an administrator; 3 WSL's address was not found; 4 WSL's networking mode
has no route; 5 Windows did not make the change; 6 -Verify: the route is missing
or wrong; 7 -Verify: the route is right and the bridge does not answer;
8 Windows itself is on 10.87.1.0/24: another subnet is needed.
#>
#Requires -Version 5.1
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Verify,
    [switch]$Remove
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# Windows' own directories, asked of Windows: no variable and no module of an
# ordinary user decides what runs as an administrator. Before any cmdlet that
# is loaded from a module.
$System = [Environment]::SystemDirectory
$env:PSModulePath = "$PSHOME\Modules;$System\WindowsPowerShell\v1.0\Modules"

$Subnet = '10.87.1.0'
$Mask = '255.255.255.0'
$Prefix = '10.87.1.0/24'
$Bridge = '10.87.1.1'

$Route = Join-Path $System 'route.exe'
$Ping = Join-Path $System 'ping.exe'
$Wsl = Join-Path $System 'wsl.exe'
$Caller = $PSCmdlet

function Stop-With {
    param([int]$Code, [string]$Message)
    Write-Host "flatnet: $Message"
    exit $Code
}

function Test-Administrator {
    $identity = [Security.Principal.WindowsIdentity]::GetCurrent()
    $principal = New-Object Security.Principal.WindowsPrincipal($identity)
    return $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
}

# WSL's networking mode; empty where this WSL cannot say.
function Get-WslMode {
    $word = ((& $Wsl --exec wslinfo --networking-mode) -join ' ').Trim()
    if ($LASTEXITCODE -eq 0 -and $word -match '^[a-z0-9]+$') { return $word }
    return ''
}

# The address that WSL sends from, which is that of its default route. The
# first word of "hostname -I" may be a bridge's. Asking for a route sends
# nothing; 192.0.2.1 is for documentation (RFC 5737) and nobody's.
function Get-WslAddress {
    $text = (& $Wsl --exec ip -4 route get 192.0.2.1) -join ' '
    if ($text -match '\bsrc (\d{1,3}(\.\d{1,3}){3})\b') { return $Matches[1] }
    return ''
}

# Next hops of the routes to the subnet; read as objects, for what route.exe
# prints is translated. Nothing there is no error.
function Get-NextHop {
    param([string]$Store)
    return @(Get-NetRoute -DestinationPrefix $Prefix -PolicyStore $Store -ErrorAction SilentlyContinue |
        ForEach-Object { $_.NextHop })
}

# Whether the subnet is a network of Windows' own: its route is Windows' work.
function Test-OwnNetwork {
    $own = @(Get-NetRoute -DestinationPrefix $Prefix -PolicyStore ActiveStore -ErrorAction SilentlyContinue |
        Where-Object { $_.Protocol -eq 'Local' })
    return $own.Count -gt 0
}

function Add-SubnetRoute {
    param([string]$Address)
    if ($Caller.ShouldProcess("$Prefix by way of $Address", 'add the route')) {
        & $Route ADD $Subnet MASK $Mask $Address METRIC 1 | Out-Null
    }
}

# An empty address stands for every route to the subnet.
function Remove-SubnetRoute {
    param([string]$Address)
    if ($Address -eq '') {
        if ($Caller.ShouldProcess("$Prefix", 'take every route away')) {
            & $Route DELETE $Subnet MASK $Mask | Out-Null
        }
    } elseif ($Caller.ShouldProcess("$Prefix by way of $Address", 'take the route away')) {
        & $Route DELETE $Subnet MASK $Mask $Address | Out-Null
    }
}

# The right route first, then away with the others. route.exe cannot name one
# of two that are alike, nor one without a next hop: those go all at once.
function Set-SubnetRoute {
    param([string]$Address)
    $active = @(Get-NextHop 'ActiveStore')
    $ours = @($active | Where-Object { $_ -eq $Address })
    $wrong = @(($active + @(Get-NextHop 'PersistentStore')) | Where-Object { $_ -ne $Address } | Select-Object -Unique)
    if ($ours.Count -gt 1 -or $wrong -contains '0.0.0.0') {
        Remove-SubnetRoute ''
        Add-SubnetRoute $Address
        return
    }
    if ($ours.Count -eq 0) { Add-SubnetRoute $Address }
    foreach ($hop in $wrong) { Remove-SubnetRoute $hop }
}

function Test-SubnetRoute {
    param([string]$Address)
    $active = @(Get-NextHop 'ActiveStore')
    return ($active.Count -eq 1 -and $active[0] -eq $Address)
}

# ping.exe ends with 0 also for "unreachable"; "TTL" stands in every language.
function Test-Bridge {
    $text = (& $Ping -n 1 -w 1000 $Bridge) -join ' '
    return ($LASTEXITCODE -eq 0 -and $text -match 'TTL')
}

if (-not $Verify -and -not $WhatIfPreference -and -not (Test-Administrator)) {
    Stop-With 2 'this needs an administrator: start PowerShell with "Run as administrator" and run it again.'
}

if (Test-OwnNetwork) {
    Stop-With 8 "Windows itself is on $Prefix, and its route is left alone: give Flatnet another subnet."
}

if ($Remove) {
    Remove-SubnetRoute ''
    if ($WhatIfPreference) { Stop-With 0 'nothing was changed.' }
    if (@(Get-NextHop 'ActiveStore').Count + @(Get-NextHop 'PersistentStore').Count -gt 0) {
        Stop-With 5 "Windows still has a route to $Prefix; see route print -4."
    }
    Stop-With 0 "no route to $Prefix is left."
}

$mode = Get-WslMode
if ($mode -in @('mirrored', 'none', 'wsl1')) {
    Stop-With 4 "WSL's networking mode is $mode; a route to it needs networkingMode=nat under [wsl2] in .wslconfig, then wsl --shutdown."
}
$address = Get-WslAddress
if ($address -eq '') {
    Stop-With 3 "WSL's address was not found: see that WSL starts and that 'wsl ip route' shows a default route."
}

if ($Verify) {
    if (-not (Test-SubnetRoute $address)) {
        Stop-With 6 "the route to $Prefix is missing or does not lead to WSL at $address."
    }
    if (-not (Test-Bridge)) {
        Stop-With 7 "the route to $Prefix leads to WSL at $address, and the bridge $Bridge does not answer."
    }
    Stop-With 0 "the route to $Prefix leads to WSL at $address, and the bridge $Bridge answers."
}

Set-SubnetRoute $address
if ($WhatIfPreference) { Stop-With 0 'nothing was changed.' }
if (-not (Test-SubnetRoute $address)) {
    Stop-With 5 "Windows did not take the route to $Prefix by way of $address; see route print -4."
}
if (-not (Test-Bridge)) {
    Write-Warning "the bridge $Bridge does not answer: see the bridge, ip_forward and the rules in flatnet-tui."
}
Stop-With 0 "the route to $Prefix leads to WSL at $address."
