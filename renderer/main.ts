import "./theme/styles.ts";
import { mount } from "svelte";
import App from "./App.svelte";
import { chooseLanguage, I18n } from "./i18n/index.ts";
import { browserPorts } from "./browser-ports.ts";
import { chooseRuntime } from "./runtime/index.ts";
import { AppModel } from "./state/app-model.svelte.ts";
import { ThemeController } from "./theme/theme.ts";

const { language, locale } = chooseLanguage(navigator.languages);
document.documentElement.lang = language.tag;
document.documentElement.dir = language.direction;

const theme = new ThemeController(window);
theme.start();

const { runtime, link } = chooseRuntime(window);
const i18n = new I18n(language, locale);
const app = new AppModel({ runtime, link, i18n, theme, ...browserPorts(window) });
app.start();

const target = document.getElementById("app");
if (target !== null) mount(App, { target, props: { app } });
