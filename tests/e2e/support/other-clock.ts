/*
 * Loaded before a program and its threads, with the address that `otherClock` gives: the computer's clock shows another time.
 */
const { searchParams } = new URL(import.meta.url);
const number = (name: string): number => Number(searchParams.get(name));
const [atMs, fromMs, speed] = [number("at"), number("from"), number("speed")];
const now = Date.now.bind(Date);
Date.now = () => Math.round(fromMs + (now() - atMs) * speed);
