import type { PersonView, SystemLine, UserId } from "#protocol";
import type { I18n } from "../../i18n/index.ts";

const objections = {
  person: "system.objection.person",
  device: "system.objection.device",
  exclusion: "system.objection.exclusion",
  "left-out": "system.objection.leftOut",
} as const;

const meanwhile = {
  "came-meanwhile": "cameMeanwhile",
  "went-meanwhile": "wentMeanwhile",
  restored: "restored",
} as const;

/** The sentence of a system line, spoken to the person who reads it. */
export function systemLineText(i18n: I18n, line: SystemLine, meId: UserId): string {
  const { t } = i18n;
  const byMe = line.by.userId === meId;
  const by = line.by.displayName;
  const names = (people: readonly PersonView[]): string =>
    i18n.list(
      people.map(({ userId, displayName }) =>
        userId === meId ? t("system.youObject") : displayName,
      ),
    );
  switch (line.kind) {
    case "created":
      return byMe ? t("system.you.created") : t("system.created", { by });
    case "joined":
      return byMe ? t("system.you.joined") : t("system.joined", { by });
    case "left":
      return byMe ? t("system.you.left") : t("system.left", { by });
    case "suspended":
      return byMe ? t("system.you.suspended") : t("system.suspended", { by });
    case "revoked":
      return byMe ? t("system.you.revoked") : t("system.revoked", { by });
    case "reopened":
      return byMe ? t("system.you.reopened") : t("system.reopened", { by });
    case "rejoined":
      return t("system.you.rejoined");
    case "forked":
      return t("system.you.forked");
    case "added": {
      const people = names(line.people);
      return byMe ? t("system.you.added", { people }) : t("system.added", { by, people });
    }
    case "removed": {
      const people = names(line.people);
      return byMe ? t("system.you.removed", { people }) : t("system.removed", { by, people });
    }
    case "came-meanwhile":
    case "went-meanwhile":
    case "restored": {
      const people = names(line.people);
      const key = meanwhile[line.kind];
      return byMe ? t(`system.you.${key}`, { people }) : t(`system.${key}`, { by, people });
    }
    case "renamed": {
      const { name } = line;
      return byMe ? t("system.you.renamed", { name }) : t("system.renamed", { by, name });
    }
    case "suite":
      return t("system.suite", { suite: line.suite });
    case "timers": {
      const duration = i18n.timer(line.timers.expirationSeconds);
      if (line.timers.burnSeconds === null) {
        return byMe ? t("system.you.timers", { duration }) : t("system.timers", { by, duration });
      }
      const burn = i18n.timer(line.timers.burnSeconds);
      return byMe
        ? t("system.you.timersBurn", { duration, burn })
        : t("system.timersBurn", { by, duration, burn });
    }
    case "roles": {
      const people = names(line.administrators);
      const count = line.administrators.length;
      return byMe
        ? t("system.you.roles", { count, people })
        : t("system.roles", { count, by, people });
    }
    case "key-changed":
      return t(line.stopped ? "system.keyChangedStopped" : "system.keyChanged", { by });
    case "key-taken":
      return t(line.verified ? "system.keyVerified" : "system.keyAccepted", { by });
    case "device-added":
      return t("system.deviceAdded", { by, device: line.deviceName });
    case "device-removed":
      return t("system.deviceRemoved", { by, device: line.deviceName });
    case "relay-objection":
      return t(objections[line.what], { by });
  }
}
