/*
 * Loaded before a program and its threads (node --import …/clock-ahead.ts?ms=…): the computer's clock is ahead by so many milliseconds.
 */
const aheadMs = Number(new URL(import.meta.url).searchParams.get("ms"));
const now = Date.now.bind(Date);
Date.now = () => now() + aheadMs;
