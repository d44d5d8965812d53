export {
  chooseLanguage,
  english,
  I18n,
  type Language,
  type MessageArguments,
  type MessageKey,
  type PickerEmoji,
} from "./i18n.ts";
export { startOfDayMs } from "./formats.ts";
