/* SPDX-License-Identifier: MIT */
/* The program of a test that consists of compiling. */
int main(void)
{
    return 0;
}
