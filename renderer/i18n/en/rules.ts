/** The rules of a network that its administrator can change. */
export const rules = {
  "rules.history": "History for newly added computers",
  "rules.historyText":
    "When people add a computer to their account, the messages that are still alive can come over to it.",
  "rules.historyYes": "Messages come over, if the person wants it",
  "rules.historyNo": "Messages don't come over",
  "rules.suite": "Encryption",
  "rules.suite.standard": "Standard (X-Wing, post-quantum hybrid)",
  "rules.suite.cnsa": "CNSA 2.0 (for US national security systems)",
  "rules.suiteTitle": "Change the encryption for everybody?",
  "rules.suiteText":
    "From now on: {suite}. Each conversation goes over by itself when every computer in it has been on line and has published keys for that. Until then it stays as it is.",
  "rules.suiteConfirm": "Change the encryption",
  "rules.signed":
    "Signed with the network's key, which is on this computer. What you change holds for everybody.",
  "rules.offline": "The rules can be changed while the relay can be reached.",
} as const;
