// Deutsch. Was hier fehlt, bleibt Englisch.
export const de: Readonly<Record<string, string>> = {
  "Watch": "Sehen", "Delete": "Löschen", "Tell": "Melden", "House": "Haus",
  "Overview": "Übersicht", "Jobs": "Aufträge", "Queues": "Warteschlangen", "Pools and workers": "Pools und Arbeiter", "Schedules": "Zeitpläne", "Deletions": "Löschungen", "Operations": "Vorgänge", "Archive": "Archiv", "Trace": "Verbleib",
  "Webhooks": "Webhooks", "Alerts": "Warnungen", "Audit": "Protokoll", "Settings": "Einstellungen", "Backups": "Sicherungen", "Snapshots": "Abbilder", "Keys": "Tasten",
  "Live": "Live", "Paused": "Angehalten", "Connecting": "Verbindet", "Reconnecting": "Verbindet neu", "Not live": "Nicht live",
  "running": "läuft", "queued": "wartet", "scheduled": "geplant", "succeeded": "gelungen", "failed": "gescheitert", "cancelled": "abgebrochen", "being deleted": "wird gelöscht", "delete failed": "Löschen gescheitert",
  "All": "Alle", "Running": "Laufend", "Queued": "Wartend", "Scheduled": "Geplant", "Failed": "Gescheitert", "Succeeded": "Gelungen", "Cancelled": "Abgebrochen", "Being deleted": "Im Löschen",
  "Marked": "Markiert", "Stopped": "Gestoppt", "Slot back": "Platz frei", "Erased": "Getilgt", "Receipt": "Beleg", "done": "fertig", "under way": "im Gange", "not yet": "noch nicht", "nothing to do": "nichts zu tun",
  "Job": "Auftrag", "Kind": "Art", "Queue": "Schlange", "Status": "Zustand", "Progress": "Fortschritt", "What it does": "Was er tut", "Age": "Alter", "Took": "Dauer", "Worker": "Arbeiter", "Attempt": "Versuch", "Priority": "Vorrang", "Tags": "Marken", "Project": "Projekt",
  "Deletes pending": "Offene Löschungen", "Throughput": "Durchsatz", "Pools": "Pools", "Last deletes": "Letzte Löschungen", "What happened": "Was geschah", "Facts": "Tatsachen", "Arguments": "Argumente", "Result": "Ergebnis", "Partial results": "Teilergebnisse", "Log": "Meldungen",
  "Delete…": "Löschen…", "Delete job": "Auftrag löschen", "Keep it": "Behalten", "Keep them": "Behalten", "Cancel": "Abbrechen", "Done": "Fertig", "Check it": "Prüfen", "Copy": "Kopieren", "Download": "Herunterladen", "Undo…": "Zurücknehmen…",
  "The signature holds.": "Die Unterschrift stimmt.", "The signature does not hold.": "Die Unterschrift stimmt nicht.", "Deletions are frozen.": "Das Löschen ist eingefroren.", "No copy is kept. This cannot be undone.": "Es bleibt keine Kopie. Das ist endgültig.",
  "Log in": "Anmelden", "Log out": "Abmelden", "Token": "Token", "This browser": "Dieser Browser", "Theme": "Aussehen", "Rows": "Zeilen", "Times": "Zeiten", "Changes": "Änderungen", "Language": "Sprache", "Single letters as keys": "Einzelne Buchstaben als Tasten",
  "Columns": "Spalten", "Views": "Ansichten", "New job": "Neuer Auftrag", "Submit job": "Auftrag aufgeben", "Where did a job go?": "Wo blieb ein Auftrag?",
};
