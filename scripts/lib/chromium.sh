# Sourced by scripts that use the browser: finds Chromium, which Playwright drives.
# shellcheck shell=bash

# Export EV_CHARGER_HUB_CHROMIUM, the path of a Chromium, if the machine has one.
find_chromium() {
  local name
  for name in "${EV_CHARGER_HUB_CHROMIUM:-}" chromium chromium-browser google-chrome; do
    [[ -n $name ]] && EV_CHARGER_HUB_CHROMIUM=$(command -v "$name") || continue
    export EV_CHARGER_HUB_CHROMIUM
    return
  done
  unset EV_CHARGER_HUB_CHROMIUM
  return 1
}
