/** Words that many places use. */
export const common = {
  "app.name": "Sotto",
  "app.titleUnread": "({count}) Sotto",
  "common.back": "Back",
  "common.cancel": "Cancel",
  "common.close": "Close",
  "common.copied": "Copied",
  "common.copyFailed": "That could not be copied. Select it and copy it by hand.",
  "common.done": "Done",
  "common.loading": "Loading",
  "common.retry": "Try again",
  "common.save": "Save",
  "common.you": "You",
  "common.dismiss": "Dismiss",
  "common.more": "More",
  "common.showDetails": "Show details",
  "common.unknownCount": "99+",

  "toast.region": "Notices",

  "time.today": "Today",
  "time.yesterday": "Yesterday",

  "role.administrator": "Administrator",
  "role.moderator": "Moderator",
  "role.member": "Member",

  "kind.direct": "Direct conversation",
  "kind.group": "Group",
  "kind.room": "Room",

  "person.you": "{name} (you)",

  "broken.title": "This window ran into a fault",
  "broken.text":
    "Nothing was lost. Load the window again; if it happens again at the same place, report what you were doing.",
  "broken.reload": "Load again",

  "link.lost.title": "Sotto isn't answering",
  "link.lost.body":
    "The program behind this page has stopped or can't be reached. Start it again with npm start; this page connects by itself. What you were writing stays here.",
  "link.refused.title": "This page's pass isn't valid any more",
  "link.refused.body":
    "Each start of the preview prints a new address. Open the one that the terminal shows now.",
  "link.connecting": "Connecting to Sotto",
} as const;
