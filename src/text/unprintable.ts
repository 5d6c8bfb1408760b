/** A character -> whether it is drawn as itself, and nothing else happens where it is printed. Pure. */

/**
 * Controls, format characters (bidirectional overrides, zero widths), lone surrogates, private and
 * unassigned characters, line separators, and whatever Unicode says to draw as nothing.
 */
export const unprintable = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
