// The styles that hold for the whole page, for the entries that show it.
import "./tokens.css";
import "./base.css";
