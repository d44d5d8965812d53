import type { Notification } from "electron";
import type { NotificationPort } from "../app/index.ts";

/** The system's notifications. Each is held until it is gone: Electron forgets the click of one that nobody holds. */
export function systemNotifications(
  notification: Pick<typeof Notification, "isSupported"> &
    (new (options: { title: string; body: string }) => Pick<Notification, "on" | "show">),
): NotificationPort {
  const shown = new Set<object>();
  return {
    show: (title, body, onClick) => {
      if (!notification.isSupported()) return;
      const item = new notification({ title, body });
      shown.add(item);
      const forget = (): void => {
        shown.delete(item);
      };
      item.on("click", () => {
        forget();
        onClick();
      });
      item.on("close", forget);
      item.on("failed", forget);
      item.show();
    },
  };
}
