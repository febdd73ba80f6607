<#
.SYNOPSIS
Registers the scheduled tasks that keep Windows' route to Flatnet right.

.DESCRIPTION
Two tasks run setup-route.ps1 with highest privileges: \Flatnet\route-at-logon
whenever you log on, and \Flatnet\route-now when flatnet-tui starts it from
WSL. They run a copy below Program Files, where only administrators can write:
what runs with highest privileges must not be anybody's to change. Run this
again when flatnet-tui has written a new setup-route.ps1. Needs an
administrator, except with -Verify.

.PARAMETER Verify
Changes nothing; says whether both tasks are there and run this setup-route.ps1.

.PARAMETER Remove
Takes tasks and copy away; the route stays until Windows or WSL restarts.

.PARAMETER WhatIf
Says what would be changed, and changes nothing.

.PARAMETER User
Whose WSL it is; you, unless another administrator runs this for you.

.NOTES
Exit codes: 0 as asked for; 1 an unexpected error; 2 not an administrator;
3 setup-route.ps1 is not beside this script; 6 -Verify: something is missing.
#>
#Requires -Version 5.1
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [switch]$Verify,
    [switch]$Remove,
    [string]$User = [Security.Principal.WindowsIdentity]::GetCurrent().Name
)

Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'

# Windows' own directories, asked of Windows: no variable and no module of an
# ordinary user decides what runs as an administrator. Before any cmdlet that
# is loaded from a module.
$System = [Environment]::SystemDirectory
$env:PSModulePath = "$PSHOME\Modules;$System\WindowsPowerShell\v1.0\Modules"

$TaskPath = '\Flatnet\'
$AtLogon = 'route-at-logon'
$Now = 'route-now'
$Source = Join-Path $PSScriptRoot 'setup-route.ps1'
$Folder = Join-Path ([Environment]::GetFolderPath('ProgramFiles')) 'Flatnet'
$Copy = Join-Path $Folder 'setup-route.ps1'
$PowerShell = Join-Path $System 'WindowsPowerShell\v1.0\powershell.exe'
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

function Test-Task {
    param([string]$Name)
    return $null -ne (Get-ScheduledTask -TaskPath $TaskPath -TaskName $Name -ErrorAction SilentlyContinue)
}

function Test-Copy {
    if (-not (Test-Path -LiteralPath $Copy)) { return $false }
    return (Get-FileHash -LiteralPath $Copy).Hash -eq (Get-FileHash -LiteralPath $Source).Hash
}

function Copy-Script {
    if (-not $Caller.ShouldProcess($Copy, 'copy setup-route.ps1')) { return }
    New-Item -ItemType Directory -Force -Path $Folder | Out-Null
    Copy-Item -LiteralPath $Source -Destination $Copy -Force
}

function Register-RouteTask {
    param([string]$Name, $Trigger)
    if (-not $Caller.ShouldProcess("$TaskPath$Name", 'register the task')) { return }
    $arguments = '-NoProfile -NonInteractive -WindowStyle Hidden -ExecutionPolicy Bypass -File "' + $Copy + '"'
    $task = @{
        TaskPath    = $TaskPath
        TaskName    = $Name
        Description = 'Sends the Flatnet subnet 10.87.1.0/24 from Windows to WSL.'
        Action      = New-ScheduledTaskAction -Execute $PowerShell -Argument $arguments
        Principal   = New-ScheduledTaskPrincipal -UserId $User -LogonType Interactive -RunLevel Highest
        Settings    = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -MultipleInstances IgnoreNew -ExecutionTimeLimit (New-TimeSpan -Minutes 5)
        Force       = $true
    }
    if ($null -ne $Trigger) { $task['Trigger'] = $Trigger }
    Register-ScheduledTask @task | Out-Null
}

function Remove-RouteTask {
    param([string]$Name)
    if ((Test-Task $Name) -and $Caller.ShouldProcess("$TaskPath$Name", 'take the task away')) {
        Unregister-ScheduledTask -TaskPath $TaskPath -TaskName $Name -Confirm:$false
    }
}

if (-not $Verify -and -not $WhatIfPreference -and -not (Test-Administrator)) {
    Stop-With 2 'this needs an administrator: start PowerShell with "Run as administrator" and run it again.'
}

if ($Remove) {
    Remove-RouteTask $AtLogon
    Remove-RouteTask $Now
    if ((Test-Path -LiteralPath $Copy) -and $Caller.ShouldProcess($Copy, 'take the copy away')) {
        Remove-Item -LiteralPath $Copy
    }
    if ($WhatIfPreference) { Stop-With 0 'nothing was changed.' }
    Stop-With 0 'the tasks are gone.'
}

if (-not (Test-Path -LiteralPath $Source)) {
    Stop-With 3 "setup-route.ps1 is not in $PSScriptRoot; flatnet-tui route apply writes it there."
}

if ($Verify) {
    foreach ($name in @($AtLogon, $Now)) {
        if (-not (Test-Task $name)) { Stop-With 6 "the task $TaskPath$name is not registered." }
    }
    if (-not (Test-Copy)) { Stop-With 6 "the tasks run another setup-route.ps1 than $Source; run this again as an administrator." }
    Stop-With 0 'both tasks are registered and run this setup-route.ps1.'
}

Copy-Script
Register-RouteTask $AtLogon (New-ScheduledTaskTrigger -AtLogOn -User $User)
Register-RouteTask $Now $null
if ($WhatIfPreference) { Stop-With 0 'nothing was changed.' }
Stop-With 0 "registered $TaskPath$AtLogon and $TaskPath$Now for $User."
