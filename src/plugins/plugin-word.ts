/** The word by which our program runs one plugin, once. */

/** Before nothing else: `localhostess <word>`; all else is on its standard input. */
export const pluginWord = "__plugin";
